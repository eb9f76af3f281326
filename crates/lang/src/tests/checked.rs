//! What patterns become.

use std::num::NonZeroU32;

use ensue_model::expr::{Aggregate, Ask, BinaryOperator, Expr, Lookback, LookbackId, Pick};
use ensue_model::pattern::{
    Active, Anchor, Contiguity, Keep, Pattern, Quantifier, Relation, Skip, Stage, StageId, StepWindow, Term, WindowSpan,
};
use ensue_model::schema::FieldId;
use ensue_model::{Keys, Schema, Span, Timestamp, Type, Value};

use super::compile_all;
use crate::tree::{self, Item, Let, Param, Stream, Table};
use crate::{Options, Source, compile, parse, print};

pub(super) fn pattern(text: &str) -> Pattern {
    pattern_with(text, &Options::default())
}

fn pattern_with(text: &str, options: &Options) -> Pattern {
    let mut compiled = compile_all(text, options).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    compiled.patterns.patterns.remove(0)
}

/// The condition of the last step, which is a stage.
fn condition(text: &str) -> Expr {
    match pattern(text).sequence.steps.pop().map(|step| step.term) {
        Some(Term::Stage(_, condition)) => condition,
        other => panic!("{other:?}"),
    }
}

pub(super) fn constant(value: impl Into<Value<'static>>) -> Box<Expr> {
    Box::new(Expr::Constant(value.into()))
}

pub(super) fn field(position: u16) -> Box<Expr> {
    Box::new(Expr::Field(FieldId(position)))
}

pub(super) fn equal(left: Box<Expr>, right: Box<Expr>) -> Expr {
    Expr::Binary(BinaryOperator::Equal, left, right)
}

#[test]
fn a_bare_stage_stands_for_its_type() {
    let options = Options { type_field: Some("kind".into()), ..Options::default() };
    let pattern = pattern_with("begin pay", &options);
    assert_eq!(pattern.sequence.steps[0].term, Term::Stage(StageId(0), equal(field(0), constant("pay"))));
}

#[test]
fn equal_questions_to_a_stage_are_asked_once() {
    let pattern = pattern(
        "begin a+ where true next b where a.x > last(a).x + a[-1].x and sum(a.x) > first(a).x + a[0].x + a[2].x within 1h",
    );
    let pick = |pick| Lookback { stage: StageId(0), ask: Ask::Pick(pick, Expr::Field(FieldId(0))) };
    let sum = Lookback { stage: StageId(0), ask: Ask::Aggregate(Aggregate::Sum, Expr::Field(FieldId(0))) };
    assert_eq!(pattern.lookbacks, [pick(Pick::Last), sum, pick(Pick::First), pick(Pick::At(2))]);
}

#[test]
fn inside_any_and_all_a_bare_name_is_the_stages_field() {
    let pattern = pattern("begin a+ where true next b where y == 1 and any(a, y == 2) within 1h");
    let ask = Ask::Aggregate(Aggregate::Any, equal(field(0), constant(2)));
    assert_eq!(pattern.lookbacks, [Lookback { stage: StageId(0), ask }]);
}

#[test]
fn a_stage_hides_a_field_and_this_shows_it() {
    let pattern = pattern("begin a+ where (a.a is null or a.a == 1) and this.a == 2 within 1h");
    assert_eq!(pattern.lookbacks, [Lookback { stage: StageId(0), ask: Ask::Pick(Pick::Last, *field(0)) }]);
    assert_eq!(condition("begin a where this.a == 2"), equal(field(0), constant(2)));
}

#[test]
fn lets_are_put_in_with_what_they_are_called_with() {
    assert_eq!(
        condition("let same(s, now) = s.x == now\npattern p begin a where true next b where same(a, y)"),
        equal(Box::new(Expr::Lookback(LookbackId(0))), field(1)),
    );
    assert_eq!(
        condition("let one = 1\nlet is_one(x) = x == one\npattern p begin a where is_one(z)"),
        equal(field(0), constant(1)),
    );
    // The argument is what the caller means by it, also where the let has a parameter of that name.
    assert_eq!(
        condition("let f(x) = x == 1\nlet g(y, x) = f(y)\npattern p begin a where g(x, 2)"),
        equal(field(0), constant(1))
    );
}

#[test]
fn parameters_have_the_callers_value_else_their_default() {
    let text = "param patience: duration = 15m\nparam names: list<string> = [\"a\"]\npattern p begin a where x in names within patience";
    assert_eq!(pattern(text).within, Some(Span::from_seconds(900)));
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options { parameters: vec![set("patience", "1h"), set("names", "[\"b\"]")], ..Options::default() };
    let pattern = pattern_with(text, &options);
    assert_eq!(pattern.within, Some(Span::from_seconds(3_600)));
    let names = Value::List([Value::from("b")].into());
    assert_eq!(pattern.sequence.steps[0].term, Term::Stage(StageId(0), Expr::In(field(0), constant(names))));
}

#[test]
fn a_number_that_meets_a_decimal_is_exact() {
    let stream = "stream s { price: decimal rate: float }\n";
    let exact = Value::Decimal("0.1".parse().expect("a decimal"));
    assert_eq!(
        condition(&format!("{stream}pattern p begin a where price == 0.1")),
        equal(field(0), constant(exact.clone()))
    );
    assert_eq!(condition(&format!("{stream}pattern p begin a where rate == 0.1")), equal(field(1), constant(0.1)));
    let list = Value::List([exact].into());
    assert_eq!(
        condition(&format!("{stream}pattern p begin a where price in [0.1]")),
        Expr::In(field(0), constant(list))
    );
}

#[test]
fn the_least_int_can_be_written() {
    assert_eq!(condition("begin a where x == -9223372036854775808"), equal(field(0), constant(i64::MIN)));
}

#[test]
fn quantifiers_are_bounds_and_whether_none_will_do() {
    let quantifier = |text: &str| {
        pattern(&format!("begin a{text} where true next b where true within 1h")).sequence.steps[0].quantifier
    };
    let one = Quantifier::ONE;
    assert_eq!(quantifier(""), one);
    assert_eq!(quantifier("?"), Quantifier { optional: true, ..one });
    assert_eq!(quantifier("+ consecutive"), Quantifier { max: None, inner: Contiguity::Strict, ..one });
    assert_eq!(quantifier("* greedy"), Quantifier { max: None, optional: true, greedy: true, ..one });
    assert_eq!(quantifier("{2,4} optional"), Quantifier { min: 2, max: Some(4), optional: true, ..one });
    assert_eq!(quantifier("{0,4}"), Quantifier { min: 1, max: Some(4), optional: true, ..one });
    assert_eq!(quantifier("{3,} combinations"), Quantifier { min: 3, max: None, inner: Contiguity::Any, ..one });
}

#[test]
fn a_stage_repeats_where_a_group_around_it_does() {
    let pattern = pattern(
        "begin (a where true next b? where true){2} notFollowedBy c where true next d where true skip to last d",
    );
    let stage = |name: &str, negated, repeats| Stage { negated, repeats, ..Stage::named(name) };
    assert_eq!(
        pattern.stages,
        [stage("a", false, true), stage("b", false, true), stage("c", true, false), stage("d", false, false)]
    );
    assert_eq!(pattern.skip, Skip::ToLast(StageId(3)));
}

#[test]
fn the_key_is_the_patterns_else_the_streams_else_the_callers() {
    let stream = "stream s { id: int @key user: string }\n";
    let options = Options { key: vec!["user".into()], ..Options::default() };
    let part = |name: &str, position| Keys::new(vec![(name.into(), *field(position))]);
    assert_eq!(pattern_with(&format!("{stream}pattern p key user begin a where true"), &options).key, part("user", 1));
    assert_eq!(pattern_with(&format!("{stream}pattern p begin a where true"), &options).key, part("id", 0));
    assert_eq!(pattern_with("begin a where true", &options).key, part("user", 0));
    assert_eq!(pattern("begin a where true").key, Keys::default());
    assert_eq!(pattern("pattern p key lower(user) begin a where true").key.names, ["lower(user)"]);
}

#[test]
fn a_window_of_no_length_is_none() {
    assert_eq!(pattern("begin a where true within 0s").within, None);
    assert_eq!(pattern("begin a where true within 0").within, None);
}

#[test]
fn what_the_caller_says_of_key_and_type_is_decoded_only_where_it_is_needed() {
    let options = Options { key: vec!["user".into()], type_field: Some("kind".into()), ..Options::default() };
    let fields = |text: &str| -> Vec<String> {
        let compiled = compile_all(text, &options).unwrap_or_else(|errors| panic!("{errors}"));
        compiled.patterns.schema.fields.into_iter().map(|field| field.name).collect()
    };
    assert_eq!(fields("begin a where x == 1"), ["user", "x"]);
    assert_eq!(fields("pattern p key id begin a where x == 1"), ["id", "x"]);
    assert_eq!(fields("pattern p key id begin a next b"), ["id", "kind"]);
    assert_eq!(fields("pattern p key id begin a where x == 1 pattern q begin b"), ["id", "x", "user", "kind"]);
    // A type field is not missed in a stream whose patterns do without.
    assert_eq!(fields("stream s { user: int } pattern p begin a where user == 1"), ["user"]);
}

#[test]
fn a_pattern_is_active_between_times_or_parameters() {
    let active = |clause: &str| {
        let text = format!("param opening: timestamp = @1970-01-01T00:00:05Z pattern x {clause} begin a where true");
        pattern(&text).active
    };
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    assert_eq!(active(""), Active::default());
    assert_eq!(active("active from opening until @1970-01-01T00:00:07Z"), Active { from: at(5), until: at(7) });
    assert_eq!(active("active from @1970-01-01T00:00:07Z"), Active { from: at(7), until: None });
    assert_eq!(active("active until opening"), Active { from: None, until: at(5) });
}

#[test]
fn a_pattern_keeps_all_runs_unless_it_says_which() {
    let keep = |ending: &str| pattern(&format!("begin a where true {ending}")).keep;
    assert_eq!(
        [keep(""), keep("keep all"), keep("keep latest"), keep("keep first")],
        [Keep::All, Keep::All, Keep::Latest, Keep::First]
    );
}

#[test]
fn a_steps_window_counts_from_any_event_or_from_a_stages() {
    let windows = |text: &str| -> Vec<Option<StepWindow>> {
        pattern(text).sequence.steps.iter().map(|step| step.within).collect()
    };
    let since = |seconds, anchor| Some(StepWindow { span: WindowSpan::Time(Span::from_seconds(seconds)), anchor });
    let of_stage = |seconds, stage| since(seconds, Anchor::Stage(StageId(stage)));
    assert_eq!(
        windows(
            "begin a where true next b? where true within 5m of previous \
             next (c where true next d where true within 1s of c)+ within 24h of b within 48h"
        ),
        [None, since(300, Anchor::Previous), of_stage(86_400, 1)]
    );
    let in_parameter = "param p: duration = 5s pattern x begin a where true next b where true within p of a";
    assert_eq!(windows(in_parameter), [None, of_stage(5, 0)]);
}

#[test]
fn windows_can_count_events() {
    let found =
        pattern("begin a where true next b where true within 5 events of previous within 1_000 events within 1h");
    assert_eq!((found.within_events, found.within), (NonZeroU32::new(1_000), Some(Span::from_seconds(3_600))));
    let span = NonZeroU32::new(5).map(WindowSpan::Events).expect("5 is not 0");
    assert_eq!(found.sequence.steps[1].within, Some(StepWindow { span, anchor: Anchor::Previous }));
    // It says when it is certain that nothing came.
    pattern("begin a where true notFollowedBy b where true within 5 events");
    pattern("begin a where true notFollowedBy b where true within 5 events of a");
}

#[test]
fn a_loop_can_count_from_its_own_events() {
    for text in [
        "begin a+ where true within 5m of previous",
        "begin a{2} where true within 5m of a",
        "begin (a where true within 5m of previous next b where true){2}",
        "begin (a where true within 5m of b next b where true)+",
        // A group's window holds for each of its stages; here only the second can come late.
        "begin (a where true next b where true) within 5m of previous",
        "begin (a where true next b where true) within 5m of a",
    ] {
        pattern(text);
    }
}

#[test]
fn an_absence_at_the_end_can_have_the_window_that_it_needs() {
    for text in [
        "begin a where true notFollowedBy b where true within 5m of previous",
        "begin a where true next (b where true notFollowedBy c where true within 5m of previous)",
        "begin (a where true notFollowedBy b where true within 5m of a)",
    ] {
        pattern(text);
    }
    let absence = pattern("begin a where true notFollowedBy b where true within 5m of a").sequence.steps.remove(1);
    assert_eq!(absence.relation, Relation::NotFollowedBy);
    let window = StepWindow { span: WindowSpan::Time(Span::from_seconds(300)), anchor: Anchor::Stage(StageId(0)) };
    assert_eq!(absence.within, Some(window));
}

#[test]
fn what_the_caller_knows_of_the_events_closes_the_schema() {
    let schema = Schema::stream("orders").field("type", Type::Any);
    let options = Options { schema, ..Options::default() };
    let errors = compile_all("begin a where typ == \"a\"", &options).expect_err("the field is misspelt");
    assert_eq!(errors.iter().next().map(|error| error.message.as_str()), Some("stream `orders` has no field `typ`"));
}

#[test]
fn patterns_of_several_sources_share_a_schema_and_their_errors_come_together() {
    let source = |name: &str, text: &str| Source::new(name, text);
    let one = source("one.pattern", "begin a where x == 1");
    let compiled = compile(&[one.clone(), source("two.pattern", "begin a where y == x")], &Options::default());
    let patterns = compiled.unwrap_or_else(|errors| panic!("{errors}")).patterns;
    assert_eq!(patterns.schema.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(patterns.patterns.iter().map(|pattern| pattern.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let errors =
        compile(&[source("a.pattern", "begin a where x ="), one, source("b.pattern", "begin a")], &Options::default());
    let reports = errors.expect_err("two are wrong").reports();
    let files: Vec<_> = reports.iter().map(|report| (report.code.as_str(), report.file.as_deref())).collect();
    assert_eq!(files, [("E0101", Some("a.pattern")), ("E0203", Some("b.pattern"))]);
}

#[test]
fn a_doc_comment_is_the_patterns() {
    let text = "// no\n/// Paid\n///   late.\npattern p begin a where true";
    assert_eq!(pattern(text).doc, "Paid\n  late.");
    assert_eq!(pattern("/// Paid late.\nbegin a where true").doc, "Paid late.");
}

#[test]
fn every_item_keeps_its_doc_comment() {
    let text = "/// An order.\nstream s { a: int }\n/// How long.\n///\n/// Not long.\nparam p: int = 1\n// no doc\n\
                param q: int = 2\n/// Much.\nlet l = a > 1\n/// Found.\npattern x begin b where true\n";
    let (file, diagnostics) = parse(&Source::new("x", text));
    assert_eq!(diagnostics, []);
    let docs: Vec<&str> = file
        .items
        .iter()
        .map(|item| match item {
            Item::Stream(Stream { doc, .. }) | Item::Param(Param { doc, .. }) => doc.as_str(),
            Item::Let(Let { doc, .. }) | Item::Table(Table { doc, .. }) => doc,
            Item::Pattern(tree::Pattern { doc, .. }) => doc,
        })
        .collect();
    assert_eq!(docs, ["An order.", "How long.\n\nNot long.", "", "Much.", "Found."]);
    // The printer keeps them, and drops the other comment.
    let (again, _) = parse(&Source::new("x", print(&file)));
    assert_eq!(again, file);
}

#[test]
fn like_knows_two_signs_and_matches_is_a_search() {
    let regex = |text: &str| match condition(text) {
        Expr::Matches(_, pattern) => pattern.regex,
        other => panic!("{other:?}"),
    };
    let like = regex("begin a where x like \"a_c.%\"");
    assert!(like.is_match("abc.") && like.is_match("aßc.\nrest") && !like.is_match("abcd") && !like.is_match("xabc."));
    assert!(regex("begin a where x matches \"b+\"").is_match("abc"));
}
