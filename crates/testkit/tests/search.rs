//! Draws some cases of each profile and compares all readings. `ENSUE_CASES` says how many of each, `ENSUE_SEED` which;
//! the binary `readings` does the same with options.

use ensue_testkit::generate::Profile;
use ensue_testkit::search;

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a whole number"))
}

#[test]
fn no_drawn_case_tells_the_readings_apart() {
    let (cases, seed) = (number("ENSUE_CASES", 100), number("ENSUE_SEED", 1));
    let mut outputs = 0;
    for profile in Profile::ALL {
        match search::disagreement(profile, cases, u64::from(seed)) {
            Ok(searched) => outputs += searched.outputs,
            Err(disagreement) => panic!("{profile:?}: {disagreement}"),
        }
    }
    assert!(outputs > 0, "the cases had no outputs, and showed nothing");
}
