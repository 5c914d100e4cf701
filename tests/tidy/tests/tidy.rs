//! The project itself, held against every rule of this crate.

use tidy::{Tree, check, workspace_root};

#[test]
fn the_project_is_tidy() {
    let complaints = check(&Tree::read(&workspace_root()));
    let text: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    assert!(
        text.is_empty(),
        "{} things to put right:\n\n{}\n",
        text.len(),
        text.join("\n")
    );
}
