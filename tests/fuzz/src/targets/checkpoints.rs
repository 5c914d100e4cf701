//! Fuzzes the reading of `hindsight.cp`.

use host::checkpoint_file::Checkpoints;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "checkpoints",
    about: "hindsight.cp",
    run,
    seeds,
    words: &[
        b"_G['",
        b"']",
        b" = ",
        b"'0:0'",
        b"\n",
        b"\r\n",
        b"->",
        b"\\",
        b"'",
        b"\"",
        b"1e308",
        b"nan",
        b"-",
        b"\\n",
        b"input",
        b"18446744073709551615:18446744073709551615",
    ],
    n_smoke: 20_000,
};

/// What was read and written again must read the same, without any damage.
fn run(bytes: &[u8]) {
    let (read, _) = Checkpoints::parse(bytes);
    let written = read.to_bytes();
    let (again, damage) = Checkpoints::parse(&written);
    assert!(
        damage.is_empty(),
        "we cannot read what we write: {damage:?}"
    );
    assert_eq!(
        again.to_bytes(),
        written,
        "checkpoints change when they are written"
    );
    for (key, _) in read.iter() {
        assert!(
            again.get(key).is_some(),
            "the checkpoint of {key:?} is lost"
        );
        let _ = read.position(key);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "_G['input'] = '0:5480'\n_G['analysis'] = '0:2232'\n_G['input->analysis0'] = '0:5480'\n_G['input->output.tsv'] = '0:1'\n",
        "_G['input.tail'] = 'a\\'b\\\\c\\n'\n_G['input.udp'] = -1.5e300\n_G['input.x'] = 'it's broken'\n",
        "_G['a'] = '18446744073709551615:0'\ngarbage\n_G['b'] = 0x10\n_G['c']='1'",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
