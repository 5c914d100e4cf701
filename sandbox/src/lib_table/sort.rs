//! A sort that survives any comparison function: it makes few comparisons, never loops, never leaves its bounds.

/// Runs of this length are sorted by insertion first; merging shorter ones would cost more than it saves.
const RUN: usize = 6;

/// Brings `items` into the order `less` tells; equal ones keep theirs. A contradictory `less` gives some order.
///
/// # Errors
/// The first error of `less`; the order of `items` is then unspecified, but none is lost.
pub fn sort<T: Copy, E>(
    items: &mut [T],
    less: &mut impl FnMut(T, T) -> Result<bool, E>,
) -> Result<(), E> {
    for run in items.chunks_mut(RUN) {
        insertion_sort(run, less)?;
    }
    let mut spare = items.to_vec();
    let mut width = RUN;
    while width < items.len() {
        for (from, to) in items.chunks(2 * width).zip(spare.chunks_mut(2 * width)) {
            merge(from, width.min(from.len()), to, less)?;
        }
        items.copy_from_slice(&spare);
        width *= 2;
    }
    Ok(())
}

fn insertion_sort<T: Copy, E>(
    items: &mut [T],
    less: &mut impl FnMut(T, T) -> Result<bool, E>,
) -> Result<(), E> {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && less(items[at], items[at - 1])? {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
    Ok(())
}

/// Merges `from[..middle]` and `from[middle..]`, both in order, into `to`.
fn merge<T: Copy, E>(
    from: &[T],
    middle: usize,
    to: &mut [T],
    less: &mut impl FnMut(T, T) -> Result<bool, E>,
) -> Result<(), E> {
    let (left, right) = from.split_at(middle);
    // Often both are in order already, and one comparison tells.
    if right.is_empty() || !less(right[0], left[middle - 1])? {
        to.copy_from_slice(from);
        return Ok(());
    }
    let (mut l, mut r) = (0, 0);
    for slot in to {
        let from_right = l == left.len() || (r < right.len() && less(right[r], left[l])?);
        *slot = if from_right { right[r] } else { left[l] };
        r += usize::from(from_right);
        l += usize::from(!from_right);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(mut items: Vec<u32>) -> Vec<u32> {
        let done: Result<(), ()> = sort(&mut items, &mut |a, b| Ok(a < b));
        assert_eq!(done, Ok(()));
        items
    }

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items in proptest::collection::vec(0u32..50, 0..300)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            prop_assert_eq!(sorted(items), expected);
        }

        #[test]
        fn keeps_the_order_of_equals(items in proptest::collection::vec((0u8..4, any::<u16>()), 0..100)) {
            let (mut ours, mut expected) = (items.clone(), items);
            let done: Result<(), ()> = sort(&mut ours, &mut |a, b| Ok(a.0 < b.0));
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(done, Ok(()));
            prop_assert_eq!(ours, expected);
        }

        #[test]
        fn contradictions_lose_nothing(items in proptest::collection::vec(any::<u8>(), 0..200), seed in any::<u64>()) {
            let (mut ours, mut expected, mut state) = (items.clone(), items, seed | 1);
            let done: Result<(), ()> = sort(&mut ours, &mut |_, _| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                Ok(state >> 63 == 1)
            });
            prop_assert_eq!(done, Ok(()));
            ours.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(ours, expected);
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        let mut count = 0;
        let result = sort(&mut [5, 4, 3, 2, 1, 0, 9, 8], &mut |_, _| {
            count += 1;
            if count == 3 { Err("enough") } else { Ok(true) }
        });
        assert_eq!(result, Err("enough"));
        assert_eq!(count, 3);
    }

    #[test]
    fn what_is_in_order_costs_little() {
        let mut items: Vec<u32> = (0..1000).collect();
        let mut count = 0;
        let done: Result<(), ()> = sort(&mut items, &mut |a, b| {
            count += 1;
            Ok(a < b)
        });
        assert_eq!(done, Ok(()));
        assert!(count < 1200, "{count}");
    }
}
