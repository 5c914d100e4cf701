//! The order of an object's keys: that in which a table of Lua 5.1 gives them, which is the same in each run.
//!
//! LuaJIT's order changes from one start of the program to the next. Plugins written for Hindsight expect its order, and
//! where a text names a file, an alert or a cache entry, the same value must have the same text.

/// Most keys that are put into order.
pub(super) const KEYS_MAX: usize = 128;

/// No key stands at a place.
const FREE: u8 = u8::MAX;

/// Appends the indexes of `n` keys, in their order.
///
/// A table of Lua 5.1 has as many places as the least power of two that suffices, and gives its keys by their places. A key
/// stands where its hash says. Of two that would stand at one place, the later goes to the last free place; a key that
/// stands at the place of another makes way in the same manner. As nobody knows any more when each key was set, they are set
/// in the order of their bytes here.
///
/// # Panics
/// When there are more than [`KEYS_MAX`] keys.
pub(super) fn append<'k>(n: usize, key: impl Fn(usize) -> &'k [u8], order: &mut Vec<u8>) {
    assert!(n <= KEYS_MAX, "too many keys");
    let size = n.next_power_of_two();
    let start = order.len();
    order.extend(0..n as u8);
    let mut homes = [0_u8; KEYS_MAX];
    let mut taken = 0_u128;
    for (i, home) in homes.iter_mut().enumerate().take(n) {
        *home = (hash(key(i)) as usize & (size - 1)) as u8;
        taken |= 1 << *home;
    }
    let is_crowded = (taken.count_ones() as usize) < n;
    if is_crowded {
        order[start..].sort_unstable_by_key(|&i| key(usize::from(i)));
    }
    let mut places = [FREE; KEYS_MAX];
    let mut last_free = size;
    for &i in &order[start..] {
        let home = usize::from(homes[usize::from(i)]);
        let other = places[home];
        if other == FREE {
            places[home] = i;
            continue;
        }
        last_free = places[..last_free]
            .iter()
            .rposition(|&place| place == FREE)
            .expect("there are at least as many places as keys");
        let is_at_home = usize::from(homes[usize::from(other)]) == home;
        let (stays, goes) = if is_at_home { (other, i) } else { (i, other) };
        places[home] = stays;
        places[last_free] = goes;
    }
    order.truncate(start);
    order.extend(places[..size].iter().filter(|&&place| place != FREE));
}

/// Lua 5.1's hash of a string; of a long one it takes about every `len / 32`th byte.
fn hash(text: &[u8]) -> u32 {
    let step = (text.len() >> 5) + 1;
    let bytes = text.iter().rev().step_by(step);
    // Bytes before the first whole step count no more.
    let bytes = bytes.take(text.len() / step);
    bytes.fold(text.len() as u32, |hash, &byte| {
        let mixed = (hash << 5)
            .wrapping_add(hash >> 2)
            .wrapping_add(u32::from(byte));
        hash ^ mixed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(keys: &[&str]) -> Vec<String> {
        let mut order = vec![7];
        append(keys.len(), |i| keys[i].as_bytes(), &mut order);
        assert_eq!(order.remove(0), 7, "what was there stays");
        order
            .iter()
            .map(|&i| keys[usize::from(i)].to_string())
            .collect()
    }

    /// As `pairs` of Lua 5.1 gives the keys of a table in which they were set in the order of their bytes.
    #[test]
    fn keys_come_as_lua_gives_them() {
        assert_eq!(ordered(&["ip", "violation"]), ["violation", "ip"]);
        let keys = [
            "workerPoolId",
            "workerId",
            "instanceType",
            "region",
            "timestamp",
            "eventType",
            "worker",
        ];
        let mut given = keys;
        for turn in 0..keys.len() {
            given.rotate_left(turn);
            assert_eq!(ordered(&given), keys);
        }
    }

    #[test]
    fn any_number_of_keys_stays_whole() {
        for n in [0, 1, 2, 3, 4, 5, 31, 64, 65, KEYS_MAX] {
            let keys: Vec<String> = (0..n).map(|i| format!("key {i}")).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut found = ordered(&keys);
            found.sort_unstable();
            let mut all = keys.clone();
            all.sort_unstable();
            assert_eq!(found, all);
        }
    }

    #[test]
    fn the_hash_is_that_of_lua() {
        assert_eq!(hash(b""), 0);
        // 1 ^ (32 + 0 + 97)
        assert_eq!(hash(b"a"), 128);
        let long = [b'x'; 100];
        let mut other = long;
        other[99] = b'y';
        assert_ne!(hash(&long), hash(&other));
        other = long;
        other[98] = b'y';
        assert_eq!(hash(&long), hash(&other), "only every fourth byte counts");
    }
}
