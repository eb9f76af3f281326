//! What is said of a pattern's cost is what the matcher does: the groups that are open are counted.

use ensue_lang::{Options, Source, compile};
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Patterns, Row, Schema, Timestamp, Type, Value};
use ensue_nfa::{Conditions, Incoming, Limits, Program, Runs, Scratch, Sink};

struct Nobody;

impl Sink<Row> for Nobody {
    fn matched(&mut self, _: Vec<(StageId, Taken<Row>)>, _: Timestamp) {}

    fn timed_out(&mut self, _: Vec<(StageId, Taken<Row>)>, _: Timestamp, _: Vec<StageId>) {}
}

fn compiled(text: &str) -> Patterns {
    let schema = Schema::stream("s").field("type", Type::String).type_field("type").field("v", Type::Int);
    let options = Options { schema, ..Options::default() };
    compile(&[Source::new("p.pattern", text)], &options).unwrap_or_else(|wrong| panic!("{wrong}")).patterns
}

fn program(patterns: &Patterns) -> Program {
    ensue_nfa::compile(&patterns.patterns[0]).unwrap_or_else(|too_large| panic!("{too_large}"))
}

/// What is said of a pattern, and how many groups are open after events such as `a1 b2`: type a with v 1, and so on.
fn cost(text: &str, timeouts: bool, events: &str) -> (String, usize) {
    let patterns = compiled(text);
    let program = program(&patterns);
    let limits = Limits { events_per_run: 100, matches_per_event: 100 };
    let mut conditions = Conditions::new();
    let mut scratch = Scratch::new(&program, timeouts, limits, &mut conditions);
    let mut runs = Runs::default();
    for (event, position) in events.split(' ').zip(0..) {
        let (kind, v) = event.split_at(1);
        let v = v.parse().unwrap_or_else(|_| panic!("{v} is a number"));
        let time = Timestamp::from_seconds(position);
        let row = Row::new(time, vec![Value::from(kind).into_owned(), Value::Int(v)]);
        program.close(&mut runs, time, &mut scratch, &mut Nobody);
        let incoming = Incoming::new(row, position as u64);
        if program.concerns(&incoming, &mut scratch, &mut conditions) {
            program.step(&mut runs, &incoming, &mut scratch, &mut Nobody);
        }
    }
    let cost = program.cost(&patterns, &patterns.patterns[0], timeouts);
    (cost.to_string(), runs.starts().count())
}

fn bound(text: &str) -> String {
    program(&compiled(text)).bound().to_string()
}

fn said(text: &str, groups: usize) -> (String, usize) {
    (text.to_owned(), groups)
}

const STARTS: &str = "one group per start, because its timeouts come out";

#[test]
fn runs_that_nothing_tells_apart_are_one_group() {
    let constant = said("constant per event", 1);
    assert_eq!(cost("begin a followedBy b", true, "a1 a2 a3"), constant);
    assert_eq!(cost("begin a followedBy b within 1h", false, "a1 a2 a3"), constant);
    assert_eq!(cost("begin a followedByAny b followedBy c", true, "a1 a2 b1 b2 b3").0, constant.0);
}

#[test]
fn what_is_asked_before_anything_is_taken_tells_no_runs_apart() {
    assert_eq!(
        cost("begin a where v > 0 and count(a) < 1 followedBy b", true, "a1 a2 a3"),
        said("constant per event", 1)
    );
}

#[test]
fn with_a_window_there_is_a_group_for_each_start_if_timeouts_come_out() {
    assert_eq!(cost("begin a followedBy b within 1h", true, "a1 a1 a2"), said(STARTS, 3));
    assert_eq!(cost("begin (a followedBy b){2,} next c within 1h", true, "a1 a1 a2"), said(STARTS, 3));
}

#[test]
fn an_absence_at_the_end_needs_the_starts_whoever_takes_timeouts() {
    let absence = "one group per start, because it ends with an absence, which is a match when the window ends";
    for timeouts in [true, false] {
        assert_eq!(cost("begin a notFollowedBy b within 1h", timeouts, "a1 a1 a2"), said(absence, 3));
    }
}

#[test]
fn what_later_conditions_ask_for_tells_runs_apart() {
    let text = "begin a followedBy b where type == \"b\" and v > a.v";
    assert_eq!(cost(text, true, "a5 a5 a6"), said("one group per distinct `a.v`", 2));
    let text = "begin a followedBy b+ where type == \"b\" and v > last(b).v ?? 0 followedBy c where count(b) > 1";
    assert_eq!(cost(text, true, "a1 b5").0, "one group per distinct `last(b).v` and `count(b)`");
}

#[test]
fn the_start_says_what_the_first_event_alone_can_say() {
    let text = "begin a followedBy b where type == \"b\" and v > a.v within 1h";
    assert_eq!(cost(text, true, "a5 a5 a6"), said(STARTS, 3));
    assert_eq!(cost(text, false, "a5 a5 a6"), said("one group per distinct `a.v`", 2));
    let text = "begin a followedByAny b where type == \"b\" followedBy c where type == \"c\" and v > b.v within 1h";
    let both = "one group per start and distinct `b.v`, because its timeouts come out";
    // Each start waits for b, and with v 1, and with v 2.
    assert_eq!(cost(text, true, "a1 a1 b1 b2 b2"), said(both, 6));
}

#[test]
fn what_a_value_is_made_of_is_kept_with_it() {
    let text = "begin s followedBy a+ where type == \"a\" and v >= (a[-2].v ?? 0) followedBy b where v > avg(a.v)";
    assert_eq!(
        cost(text, true, "s1 a1").0,
        "one group per distinct `a[-2].v` with those after it and `avg(a.v)` with its count"
    );
    let text =
        "begin s followedByAny a where type == \"a\" followedByAny d where type == \"a\" followedBy b where v > a.v";
    assert_eq!(cost(text, true, "s1 s2 a1 a2").0, "one group per distinct `a.v`");
}

#[test]
fn with_a_skip_strategy_runs_are_held_one_by_one() {
    assert_eq!(
        cost("begin a followedBy b skip past last", true, "a1 a1 a1"),
        said("one per run, because of `skip past last`", 3)
    );
    assert_eq!(cost("begin a followedBy b skip to next", true, "a1").0, "one per run, because of `skip to next`");
    assert_eq!(cost("begin a+ followedBy b skip to last b", true, "a1").0, "one per run, because of `skip to last b`");
    assert_eq!(
        cost("begin a+ followedBy b skip to first a", true, "a1").0,
        "one per run, because of `skip to first a`"
    );
}

#[test]
fn where_one_run_is_kept_there_is_one_for_each_set_of_stages() {
    let one = |keep| format!("one run per set of stages that runs wait for, because of `{keep}`");
    assert_eq!(cost("begin a followedBy b keep latest", true, "a1 a2 a3"), (one("keep latest"), 1));
    assert_eq!(cost("begin a followedBy b within 1h keep first", true, "a1 a2 a3"), (one("keep first"), 1));
    let text = "begin a followedBy b where type == \"b\" and v > a.v followedBy c keep latest";
    assert_eq!(cost(text, true, "a1 a2 b3 a4 a5"), (one("keep latest"), 2));
    assert_eq!(cost("begin a followedBy b skip past last keep first", true, "a1 a2"), (one("keep first"), 1));
}

#[test]
fn a_window_in_events_counts_from_each_start() {
    let counted = "one group per start, because `within 4 events` counts from it";
    assert_eq!(cost("begin a followedBy b within 4 events", false, "a1 a1 a2"), said(counted, 3));
    assert_eq!(cost("begin a followedBy b within 4 events", true, "a1 a1 a2"), said(STARTS, 3));
    // The fifth event ends what began with the first, whatever it is.
    assert_eq!(cost("begin a followedBy b within 4 events", true, "a1 a1 a2 x1 x1").1, 2);
    let text = "begin a notFollowedBy b within 4 events";
    let absence = "one group per start, because it ends with an absence, which is a match when the window ends";
    assert_eq!(cost(text, false, "a1 a1 x1 x1 x1"), said(absence, 1));
}

#[test]
fn a_key_whose_runs_have_ended_by_count_needs_no_memory() {
    assert_eq!(cost("begin a followedBy b within 3 events", true, "a1 x1 x1 x1").1, 0);
    assert_eq!(cost("begin a followedBy b within 2 events of previous skip past last", true, "a1 x1 x1 x1").1, 0);
}

#[test]
fn a_step_that_counts_events_tells_runs_apart_by_its_anchor() {
    let group = "one group per event that a step's window counts from, because of";
    let text = "begin a followedBy b within 5 events of previous";
    assert_eq!(cost(text, true, "a1 a1 a2"), (format!("{group} `within 5 events of previous`"), 3));
    let text = "begin s followedBy a followedBy b within 5 events of a";
    assert_eq!(cost(text, true, "s1 s1 s1 a1"), (format!("{group} `within 5 events of a`"), 1));
    let text = "begin s followedBy a within 1h of s followedBy b within 5 events of s";
    let both = "one group per time that a step's window counts from and event that a step's window counts from, \
                because of `within 1h of s` and of `within 5 events of s`";
    assert_eq!(cost(text, true, "s1 s1"), said(both, 2));
}

#[test]
fn a_step_with_a_window_of_its_own_tells_runs_apart_by_when_it_begins() {
    let group = "one group per time that a step's window counts from, because of";
    let text = "begin a followedBy b within 5m of previous";
    assert_eq!(cost(text, true, "a1 a1 a2"), (format!("{group} `within 5m of previous`"), 3));
    let text = "begin s followedBy a followedBy b within 5m of a";
    // Those that wait for b began with different events, and took the same a.
    assert_eq!(cost(text, true, "s1 s1 s1 a1"), (format!("{group} `within 5m of a`"), 1));
    assert_eq!(cost("begin a followedBy b within 5m of a within 1h", true, "a1 a1"), said(STARTS, 2));
}

#[test]
fn what_an_event_costs_is_said_beside_it() {
    let per_event = |text: &str| {
        let patterns = compiled(text);
        program(&patterns).cost(&patterns, &patterns.patterns[0], true).per_event()
    };
    insta::assert_snapshot!(
        [
            "begin a followedBy b",
            "begin a followedBy b within 1h",
            "begin a followedBy b where type == \"b\" and v > a.v within 1h",
            "begin a followedBy b where v > a.v",
            "begin a followedBy b skip past last",
        ]
        .map(|text| format!("{text}\n    {}", per_event(text)))
        .join("\n")
    );
}

#[test]
fn what_bounds_open_runs_is_a_window_or_strictness() {
    assert_eq!(bound("begin a"), "none: one event is a match");
    assert_eq!(bound("begin a followedBy b within 15m"), "a run ends 15 minutes after its first event");
    let strict = "bounded: a run ends with the first event of its key that does not fit";
    assert_eq!(bound("begin a next b"), strict);
    assert_eq!(bound("begin a{3} consecutive next b{1,4} consecutive"), strict);
    assert_eq!(bound("begin a where true followedBy b where true"), strict);
    assert_eq!(bound("begin a notNext b"), strict);
    let steps = "the windows of its steps bound how long a run waits";
    assert_eq!(bound("begin a followedBy b+ within 5m of previous next c"), steps);
    assert_eq!(bound("begin a followedBy b within 5m of a"), steps);
}

#[test]
fn windows_in_events_bound_open_runs() {
    assert_eq!(bound("begin a followedBy b within 100 events"), "a run ends 100 events of its key after its first");
    assert_eq!(
        bound("begin a followedBy b within 100 events within 15m"),
        "a run ends 15 minutes, or 100 events of its key, after its first event"
    );
    let steps = "the windows of its steps bound how long a run waits";
    assert_eq!(bound("begin a followedBy b within 5 events of a"), steps);
}

#[test]
fn runs_in_any_order_are_one_group_for_each_combination_that_they_have_come_to() {
    let constant = |groups| said("constant per event", groups);
    assert_eq!(cost("begin x followedBy (a & b & c)", true, "x1 x2 a1 x3 x4"), constant(2));
    // With a taken first, and with b.
    assert_eq!(cost("begin (a & b & c)", true, "a1 a2 b1 b2"), constant(2));
    let text = "begin (a & b where type == \"b\" and v > a.v) next c";
    assert_eq!(cost(text, true, "a1 a2").0, "one group per distinct `a.v`");
}

#[test]
fn a_thousand_ways_through_a_group_are_as_many_groups_as_runs_have_come_to() {
    let stages: Vec<String> = (0..12).map(|stage| format!("s{stage} where v == {stage}")).collect();
    let text = format!("begin x followedBy ({})", stages.join(" & "));
    assert_eq!(cost(&text, true, "x99 a0 a1 a2 a3 a4 a5"), said("constant per event", 1));
}

#[test]
fn what_bounds_groups_is_what_bounds_their_parts() {
    let steps = "the windows of its steps bound how long a run waits";
    let nothing = "nothing bounds it: a run may wait for ever, as there is no `within`";
    let strict = "bounded: a run ends with the first event of its key that does not fit";
    assert_eq!(bound("begin a followedBy (b | c) within 5m of previous"), steps);
    assert_eq!(bound("begin a followedBy (b within 5m of previous | c within 6m of previous)"), steps);
    assert_eq!(bound("begin a followedBy (b within 5m of previous | c)"), nothing);
    assert_eq!(bound("begin a followedBy (b & c) within 5m of previous"), steps);
    assert_eq!(bound("begin a followedBy (b within 5m of previous & c)"), nothing);
    assert_eq!(bound("begin (a & b)"), nothing);
    assert_eq!(bound("begin (a & b) consecutive"), strict);
    assert_eq!(bound("begin a next (b | c next d)"), strict);
}

#[test]
fn keep_bounds_how_many_wait_for_ever() {
    let kept = "`keep first` bounds how many runs a key has; each may wait for ever";
    assert_eq!(bound("begin a followedBy b keep first"), kept);
    assert_eq!(bound("begin a followedBy b within 15m keep first"), "a run ends 15 minutes after its first event");
}

#[test]
fn what_may_wait_for_ever_is_said_to_be_without_bound() {
    let nothing = "nothing bounds it: a run may wait for ever, as there is no `within`";
    assert_eq!(bound("begin a followedBy b"), nothing);
    assert_eq!(bound("begin a next b followedByAny c next d"), nothing);
    assert_eq!(bound("begin a+ next b"), nothing);
    // The anchor may never have been taken: then there is no deadline.
    assert_eq!(bound("begin a followedBy b? followedBy c within 5m of b"), nothing);
    let fitting =
        "nothing bounds how many events can fit: no `within`; a run ends with the first of its key that does not";
    assert_eq!(bound("begin a+ consecutive next b"), fitting);
    assert_eq!(bound("begin (a next b){2,} consecutive next c"), fitting);
}

/// Whether the checker says that nothing ends a loop of the pattern.
fn is_called_endless(text: &str) -> bool {
    let schema = Schema::stream("s").field("type", Type::String).type_field("type").field("v", Type::Int);
    let options = Options { schema, ..Options::default() };
    let compiled = compile(&[Source::new("p.pattern", text)], &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    compiled.warnings.iter().any(|warning| warning.code.id == "E0506")
}

#[test]
fn a_loop_is_called_endless_only_where_nothing_bounds_the_pattern() {
    let (mut endless, mut bounded) = (0, 0);
    for (quantifier, modifier) in ["+", "{2,}", "{3,}", "{2}"]
        .into_iter()
        .flat_map(|quantifier| ["", "consecutive", "combinations", "greedy"].map(|modifier| (quantifier, modifier)))
    {
        if quantifier == "{2}" && modifier == "greedy" {
            continue;
        }
        let a = format!("a{quantifier} {modifier}");
        for text in [
            format!("begin {a} next b"),
            format!("begin s next {a}"),
            format!("begin s followedBy {a} where v > 0 followedBy b"),
            format!("begin s followedBy {a} notFollowedBy x followedBy b"),
            format!("begin s next ({a} next b){{2}} consecutive"),
            format!("begin s next ({a} next b){{1,2}} combinations next c"),
            format!("begin s next ({a} | b followedBy c) next d"),
            format!("begin ({a} & b)"),
            format!("begin s followedBy {a} until v > 5"),
            format!("begin s followedBy {a} within 5m of previous"),
            format!("begin s followedBy ({a} next b) within 5 events of s"),
            format!("begin {a} next b within 1h"),
            format!("begin {a} next b within 10 events"),
            format!("begin {a} next b skip past last"),
            format!("begin {a} next b skip to next"),
            format!("begin {a} next b keep latest"),
        ] {
            let is_endless = is_called_endless(&text);
            assert!(!is_endless || bound(&text).starts_with("nothing bounds it"), "{text}: {}", bound(&text));
            endless += usize::from(is_endless);
            bounded += usize::from(!is_endless);
        }
    }
    assert!(endless > 40 && bounded > 40, "{endless} are called endless, {bounded} are not");
}
