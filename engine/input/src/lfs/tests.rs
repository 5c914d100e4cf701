//! `lfs` as plugins use it.

use crate::test_plugin::{error_of, run};

fn run_in_folder(code: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    run(&format!(
        "local folder = '{}/' {code}",
        folder.path().display()
    ));
}

#[test]
fn attributes_of_files_and_folders() {
    run_in_folder(
        "local f = io.open(folder .. 'a', 'w') f:write('12345') f:close()
        local a = lfs.attributes(folder .. 'a')
        assert(a.mode == 'file' and a.size == 5 and a.ino > 0 and a.nlink == 1 and #a.permissions == 9)
        assert(lfs.attributes(folder .. 'a', 'size') == 5 and lfs.attributes(folder, 'mode') == 'directory')
        assert(lfs.attributes(folder .. 'a', 'ino') == a.ino and a.modification <= os.time() + 1)
        local t = {} assert(lfs.attributes(folder .. 'a', t) == t and t.size == 5)
        assert(lfs.touch(folder .. 'a', 1000, 2000) and lfs.attributes(folder .. 'a', 'modification') == 2000)
        local none, why, code = lfs.attributes(folder .. 'none')
        assert(none == nil and why:find('cannot obtain information from file', 1, true) and code == 2)",
    );
    assert!(error_of("lfs.attributes('/', 'colour')").contains("invalid attribute name 'colour'"));
}

#[test]
fn a_renamed_file_keeps_its_identity() {
    run_in_folder(
        "local f = io.open(folder .. 'a', 'w') f:close()
        local ino = lfs.attributes(folder .. 'a', 'ino')
        os.rename(folder .. 'a', folder .. 'b')
        local f = io.open(folder .. 'a', 'w') f:close()
        assert(lfs.attributes(folder .. 'b', 'ino') == ino and lfs.attributes(folder .. 'a', 'ino') ~= ino)",
    );
}

#[test]
fn folders_are_made_listed_and_removed() {
    run_in_folder(
        "assert(lfs.mkdir(folder .. 'd') == true)
        local ok, why, code = lfs.mkdir(folder .. 'd') assert(ok == nil and why == 'File exists' and code == 17)
        for _, name in ipairs{'x', 'y'} do io.open(folder .. 'd/' .. name, 'w'):close() end
        local names = {} for name in lfs.dir(folder .. 'd') do names[#names + 1] = name end
        table.sort(names) assert(table.concat(names, ' ') == '. .. x y')
        local iterate, listing = lfs.dir(folder) assert(iterate(listing) == '.') listing:close()
        assert(not pcall(iterate, listing))
        assert(not lfs.rmdir(folder .. 'd'))
        os.remove(folder .. 'd/x') os.remove(folder .. 'd/y') assert(lfs.rmdir(folder .. 'd') == true)
        assert(lfs.currentdir():sub(1, 1) == '/' and lfs.chdir == nil)",
    );
    assert!(
        error_of("lfs.dir('/no/such/folder')")
            .contains("cannot open /no/such/folder: No such file")
    );
}

#[test]
fn links_and_locks_of_folders() {
    run_in_folder(
        "io.open(folder .. 'a', 'w'):close()
        assert(lfs.link(folder .. 'a', folder .. 'b') == true and lfs.attributes(folder .. 'b', 'nlink') == 2)
        assert(lfs.link('a', folder .. 'c', true) and lfs.symlinkattributes(folder .. 'c', 'mode') == 'link')
        local ok, why, code = lfs.link(folder .. 'none', folder .. 'd') assert(ok == nil and code == 2)
        local lock = assert(lfs.lock_dir(folder))
        local none, why = lfs.lock_dir(folder) assert(none == nil and why == 'File exists')
        none = lfs.lock_dir(folder, 1000) assert(none == nil)
        lock:free() lock:free() lock = assert(lfs.lock_dir(folder))
        local other = assert(lfs.lock_dir(folder, -1))
        other:free() assert(lfs.symlinkattributes(folder .. 'lockfile.lfs') == nil)
        lfs.lock_dir(folder) lock, other = nil collectgarbage() collectgarbage()
        assert(lfs.lock_dir(folder))
        none, why, code = lfs.lock_dir(folder .. 'none') assert(none == nil and code == 2)",
    );
}
