//! The reference of plugins: its index names every page and nothing else, and annotations for editors are marked as such.

use std::collections::BTreeSet;

use crate::{Complaint, Tree};

/// Where the pages lie.
const HOME: &str = "plugins/reference/";

/// Their index, relative to [`HOME`].
const INDEX: &str = "README.md";

/// The annotations, and how they begin.
const TYPES: (&str, &str) = ("plugins/foresight.d.lua", "---@meta");

/// All rules of this module.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = index(tree);
    complaints.extend(pages(tree));
    complaints.extend(annotations(tree));
    complaints
}

/// Each page is linked from the index, and each link leads to a page.
fn index(tree: &Tree) -> Vec<Complaint> {
    let pages: BTreeSet<&str> = tree
        .ending(".md")
        .filter_map(|file| file.path.strip_prefix(HOME))
        .filter(|page| *page != INDEX)
        .collect();
    let path = format!("{HOME}{INDEX}");
    let Some(file) = tree.get(&path) else {
        let lost = pages.iter().map(|page| Complaint {
            path: format!("{HOME}{page}"),
            line: 0,
            text: format!("write {path} with a link to it"),
        });
        return lost.collect();
    };
    let linked: BTreeSet<&str> = links(&file.text).collect();
    let unlinked = pages.difference(&linked);
    let broken = linked.difference(&pages);
    unlinked
        .map(|page| file.complaint(0, format!("link the page: [{page}]({page})")))
        .chain(
            broken.map(|page| {
                file.complaint(0, format!("there is no page {page}: correct the link"))
            }),
        )
        .collect()
}

/// The targets of Markdown links to pages of this folder.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|part| part.split_once(')').map(|(target, _)| target))
        .filter(|target| {
            target.ends_with(".md") && !target.contains("://") && !target.starts_with("..")
        })
}

/// A page begins with its title.
fn pages(tree: &Tree) -> Vec<Complaint> {
    let pages = tree
        .ending(".md")
        .filter(|file| file.path.starts_with(HOME) && !file.text.starts_with("# "));
    pages
        .map(|file| file.complaint(1, "begin the page with `# module: what it is for`"))
        .collect()
}

/// Files of annotations say so in their first line, so that nobody takes them for modules.
fn annotations(tree: &Tree) -> Vec<Complaint> {
    let (home, mark) = TYPES;
    let files = tree
        .ending(".lua")
        .filter(|file| file.path.starts_with(home) && !file.text.starts_with(mark));
    files
        .map(|file| file.complaint(1, "begin the file with ---@meta"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const PAGE: (&str, &str) = ("plugins/reference/a.md", "# a: of something\n");

    #[test]
    fn a_whole_reference_is_fine() {
        let index =
            "# Index\n\n[a.md](a.md), [far](https://x/y.md), [up](../z.md), [text](b.txt)\n";
        let files = [
            PAGE,
            ("plugins/reference/README.md", index),
            ("plugins/foresight.d.lua", "---@meta\n"),
        ];
        assert_eq!(complaints(&files), [""; 0]);
    }

    #[test]
    fn a_page_outside_the_index_is_named() {
        let found = complaints(&[PAGE]);
        assert!(
            found[0].contains("write plugins/reference/README.md"),
            "{found:?}"
        );
        let found = complaints(&[PAGE, ("plugins/reference/README.md", "# Index\n")]);
        assert_eq!(
            found,
            ["plugins/reference/README.md: link the page: [a.md](a.md)"]
        );
        let in_folder = ("plugins/reference/b/c.md", "# c\n");
        let found = complaints(&[in_folder, ("plugins/reference/README.md", "# Index\n")]);
        assert!(found[0].contains("[b/c.md](b/c.md)"), "{found:?}");
    }

    #[test]
    fn a_broken_link_is_named() {
        let index = (
            "plugins/reference/README.md",
            "# Index\n[a](a.md) [b](b.md)\n",
        );
        let found = complaints(&[PAGE, index]);
        assert_eq!(
            found,
            ["plugins/reference/README.md: there is no page b.md: correct the link"]
        );
    }

    #[test]
    fn pages_and_annotations_begin_as_they_must() {
        let index = ("plugins/reference/README.md", "# Index\n[a](a.md)\n");
        let page = ("plugins/reference/a.md", "text\n");
        let types = ("plugins/foresight.d.lua", "local M = {}\n");
        assert_eq!(complaints(&[index, page, types]).len(), 2);
    }
}
