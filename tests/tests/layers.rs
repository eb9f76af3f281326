//! The crates depend on each other as `ARCHITECTURE.md` says, and in no other way.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand};

/// The arrows of the table in `ARCHITECTURE.md`: a line `| crate | is | uses |` each.
fn listed() -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("ARCHITECTURE.md is there");
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, from, _, uses, _] = cells[..] else { panic!("a row has three cells: {row}") };
        let uses = uses.split(',').map(|to| to.trim().trim_matches('`')).filter(|to| *to != "–");
        uses.map(|to| (from.to_owned(), to.to_owned())).collect::<Vec<_>>()
    })
    .collect()
}

/// The arrows that the manifests draw, without those of tests.
fn drawn() -> BTreeSet<(String, String)> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .features(CargoOpt::AllFeatures)
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    let short = |name: &str| name.strip_prefix("ensue-").unwrap_or(name).to_owned();
    let mut arrows = BTreeSet::new();
    for package in metadata.packages.iter().filter(|package| package.manifest_path.as_str().contains("/crates/")) {
        let uses = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        for dependency in uses.filter(|dependency| dependency.name.starts_with("ensue")) {
            arrows.insert((short(&package.name), short(&dependency.name)));
        }
    }
    arrows
}

#[test]
fn crates_use_each_other_as_the_architecture_lists() {
    let (listed, drawn) = (listed(), drawn());
    let unlisted: Vec<_> = drawn.difference(&listed).collect();
    let undrawn: Vec<_> = listed.difference(&drawn).collect();
    assert!(unlisted.is_empty(), "these arrows are not listed in ARCHITECTURE.md: {unlisted:?}");
    assert!(undrawn.is_empty(), "ARCHITECTURE.md lists these arrows, but no crate draws them: {undrawn:?}");
}

#[test]
fn no_arrow_closes_a_circle() {
    let arrows = drawn();
    let mut left: BTreeSet<&String> = arrows.iter().flat_map(|(from, to)| [from, to]).collect();
    while let Some(leaf) =
        left.iter().copied().find(|name| !arrows.iter().any(|(from, to)| from == *name && left.contains(to)))
    {
        left.remove(leaf);
    }
    assert!(left.is_empty(), "these crates use each other in a circle: {left:?}");
}
