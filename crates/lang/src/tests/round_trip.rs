//! What is printed reads as what was printed.

use ensue_model::Type;
use ensue_model::expr::BinaryOperator;
use ensue_model::pattern::Relation;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::compile_all;
use crate::tree::{
    Clause, ClauseKind, Emission, Ending, EndingKind, Entry, Expr, ExprKind, Field, File, Group, GroupKind, Item, Keep,
    Let, Mark, MarkKind, Modifier, ModifierKind, Name, Number, Param, Pattern, Place, Quantifier, QuantifierKind,
    Record, Sequence, Skip, Stage, Step, StepSpan, StepWithin, Stream, Table, Term, TypeName,
};
use crate::{Options, Source, parse, print};

/// That a text is printed as expected, and that this is read as the same and printed as itself.
#[track_caller]
fn check(text: &str, expected: &str) {
    let (file, diagnostics) = parse(&Source::new("x", text));
    assert_eq!(diagnostics, []);
    assert_eq!(print(&file), expected);
    assert_eq!(parse(&Source::new("x", expected)), (file, Vec::new()));
}

#[test]
fn each_clause_and_relation_stands_on_a_line() {
    check(
        "/// What is paid.\npattern p from a,b key x,y.z active from @2021-01-19T10:00:00Z begin(a:s next b)+greedy until x>1 \
         notNext c{2,}where not(a.x==1) followedByAny d{0,4} within 5m of previous next any 2 of(e&f&begin g) next(h|i next j)? \
         within 15m within 100 events skip to last a keep latest cooldown 1h emit paid{a:1,`b c`:x} timeout{}",
        "/// What is paid.\npattern p\nfrom a, b\nkey x, y.z\nactive from @2021-01-19T10:00:00Z\n\
         begin (a: s next b)+ greedy until x > 1\nnotNext c{2,} where not a.x == 1\n\
         followedByAny d{0,4} within 5m of previous\nnext any 2 of (e & f & g)\nnext (h | i next j)?\n\
         within 15m\nwithin 100 events\nskip to last a\nkeep latest\ncooldown 1h\nemit paid { a: 1, `b c`: x }\ntimeout {}\n",
    );
}

#[test]
fn a_steps_window_stands_behind_all_else_of_the_step() {
    check(
        "begin a+where x>1 until x>9 within 5m of previous next(b next c within patience of a){2}within 1h of a \
         notFollowedBy d within 90s of `b c`followedBy e within 1_000 events of a within 2h",
        "begin a+ where x > 1 until x > 9 within 5m of previous\n\
         next (b next c within patience of a){2} within 1h of a\n\
         notFollowedBy d within 90s of `b c`\nfollowedBy e within 1_000 events of a\nwithin 2h\n",
    );
}

#[test]
fn declarations_stand_apart_and_short_ones_together() {
    check(
        "stream s{a:int@key,b:list<string>?@type} param p:duration=15m let f(x,y)=x>y let g=f(1,2) \
         table t key a{a:any} pattern q key{s:a,t:b} begin a",
        "stream s {\n  a: int           @key\n  b: list<string>? @type\n}\n\nparam p: duration = 15m\nlet f(x, y) = x > y\n\
         let g = f(1, 2)\n\ntable t key a {\n  a: any\n}\n\npattern q\nkey { s: a, t: b }\nbegin a\n",
    );
}

#[test]
fn parentheses_stand_only_where_they_are_needed() {
    for (text, expected) in [
        ("(a and b) or (c and d)", "a and b or c and d"),
        ("a and (b or c)", "a and (b or c)"),
        ("(a and b) and c", "(a and b) and c"),
        ("not (a == b)", "not a == b"),
        ("(not a) == b", "(not a) == b"),
        ("(a - b) - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("-(a * b) + -c", "-(a * b) + -c"),
        ("(a == b) == c", "(a == b) == c"),
        ("a ?? b + c > d ?? e", "a ?? b + c > d ?? e"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("if a then b else c + 1", "if a then b else c + 1"),
        ("(a + b).c[-1]", "(a + b).c[-1]"),
        ("x between 1 and 2 and y in [1, 2]", "x between 1 and 2 and y in [1, 2]"),
        ("x is not null or `in` like \"a%\"", "x is not null or `in` like \"a%\""),
        ("a.`b c`.in == \"\\u00e4\\n\"", "a.`b c`.in == \"ä\\n\""),
    ] {
        check(&format!("begin s where {text}"), &format!("begin s where {expected}\n"));
    }
}

#[test]
fn words_of_the_language_are_names_where_they_can_be() {
    check(
        "pattern pattern key key begin skip where type == first and count(skip) > last.emit next any where keep > 1 \
         next first until timeout > 1 skip past last",
        "pattern pattern\nkey key\nbegin skip where type == first and count(skip) > last.emit\nnext any where keep > 1\n\
         next first until timeout > 1\nskip past last\n",
    );
}

#[test]
fn what_is_composed_means_the_same_when_it_is_printed() {
    let text = "stream orders{order:int@key type:string@type sku:string at:timestamp@time}stream receipts{reference:int amount:decimal?}\n\
                /// What is sold.\ntable products key sku{sku:string price:decimal?}let price(s)=products[s].price\n\
                pattern late key{orders:order,receipts:reference}begin create:orders next(pay:receipts where amount>=price(create.sku))?\n\
                within 5m emit paid{order:key(),`by what`:pay.amount??0.5}timeout unpaid{order:create.order,missing:awaiting(),at:deadline()}\n\
                pattern never from unpaid,orders key{first:order,again:order,`next`:order}begin first:unpaid where missing[0]==\"pay\"\n\
                followedBy again:unpaid where at-first.at<1d notFollowedBy`next`:orders where true within 7d";
    let meaning = |text: &str| {
        let compiled = compile_all(text, &Options::default()).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        compiled.patterns
    };
    let (file, _) = parse(&Source::new("x", text));
    assert_eq!(meaning(text), meaning(&print(&file)));
}

fn place() -> Place {
    Place::default()
}

fn name() -> impl Strategy<Value = Name> {
    let text = prop_oneof![
        4 => select(vec!["a", "b", "type", "skip", "first", "any", "within", "next", "null", "größe", "_1"]).prop_map(String::from),
        1 => "[a-z 0-9.\"-]{1,5}",
    ];
    text.prop_map(|text| Name { text, place: place() })
}

fn number() -> impl Strategy<Value = Number> {
    select(vec!["0", "1", "1_000", "99999999999"]).prop_map(|text| Number { text: text.into(), place: place() })
}

fn literal() -> impl Strategy<Value = ExprKind> {
    prop_oneof![
        Just(ExprKind::Null),
        any::<bool>().prop_map(ExprKind::Bool),
        select(vec!["0", "1_000"]).prop_map(|text| ExprKind::Int(text.into())),
        select(vec!["2.5", "1e9", "1.5e-3"]).prop_map(|text| ExprKind::Float(text.into())),
        select(vec!["15m", "1h30m", "12abc", "2.5h"]).prop_map(|text| ExprKind::Duration(text.into())),
        Just(ExprKind::Time("2021-01-19T10:00:00Z".into())),
        "\\PC{0,4}|\n|\"|\\\\".prop_map(ExprKind::Text),
        name().prop_map(ExprKind::Name),
    ]
}

fn operator() -> impl Strategy<Value = BinaryOperator> {
    select(vec![
        BinaryOperator::Coalesce,
        BinaryOperator::Equal,
        BinaryOperator::LessOrEqual,
        BinaryOperator::Add,
        BinaryOperator::Subtract,
        BinaryOperator::Multiply,
        BinaryOperator::Remainder,
    ])
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = literal().prop_map(|kind| Expr { kind, place: place() });
    leaf.prop_recursive(5, 24, 3, |inner| {
        let one = inner.clone().prop_map(Box::new).boxed();
        let many = vec(inner.clone(), 0..3).boxed();
        let chain = vec(inner, 2..4).boxed();
        let kind = prop_oneof![
            many.clone().prop_map(ExprKind::List),
            (one.clone(), name()).prop_map(|(base, field)| ExprKind::Member(base, field)),
            (one.clone(), one.clone()).prop_map(|(base, index)| ExprKind::Index(base, index)),
            (name(), many).prop_map(|(name, arguments)| ExprKind::Call(name, arguments)),
            one.clone().prop_map(ExprKind::Not),
            one.clone().prop_map(ExprKind::Negate),
            chain.clone().prop_map(ExprKind::And),
            chain.prop_map(ExprKind::Or),
            (operator(), one.clone(), one.clone()).prop_map(|(operator, a, b)| ExprKind::Binary(operator, a, b)),
            (one.clone(), one.clone(), one.clone()).prop_map(|(a, b, c)| ExprKind::Between(a, b, c)),
            (one.clone(), one.clone()).prop_map(|(a, b)| ExprKind::In(a, b)),
            (one.clone(), one.clone()).prop_map(|(a, b)| ExprKind::Like(a, b)),
            (one.clone(), one.clone()).prop_map(|(a, b)| ExprKind::Matches(a, b)),
            one.clone().prop_map(ExprKind::IsNull),
            one.clone().prop_map(ExprKind::IsNotNull),
            (one.clone(), one.clone(), one).prop_map(|(a, b, c)| ExprKind::If(a, b, c)),
        ];
        kind.prop_map(|kind| Expr { kind, place: place() })
    })
}

/// A duration or a parameter.
fn span() -> impl Strategy<Value = Expr> {
    let kind = prop_oneof![Just(ExprKind::Duration("15m".into())), name().prop_map(ExprKind::Name)];
    kind.prop_map(|kind| Expr { kind, place: place() })
}

fn quantifier() -> impl Strategy<Value = Quantifier> {
    let kind = prop_oneof![
        Just(QuantifierKind::Optional),
        Just(QuantifierKind::OneOrMore),
        Just(QuantifierKind::Any),
        number().prop_map(QuantifierKind::Times),
        number().prop_map(QuantifierKind::AtLeast),
        (number(), number()).prop_map(|(min, max)| QuantifierKind::Between(min, max)),
    ];
    kind.prop_map(|kind| Quantifier { kind, place: place() })
}

fn modifier() -> impl Strategy<Value = Modifier> {
    let kinds =
        vec![ModifierKind::Optional, ModifierKind::Greedy, ModifierKind::Consecutive, ModifierKind::Combinations];
    select(kinds).prop_map(|kind| Modifier { kind, place: place() })
}

fn step(term: impl Strategy<Value = Term>) -> impl Strategy<Value = Step> {
    let relations =
        vec![Relation::Next, Relation::FollowedBy, Relation::FollowedByAny, Relation::NotNext, Relation::NotFollowedBy];
    let span = prop_oneof![span().prop_map(StepSpan::Time), number().prop_map(StepSpan::Events)];
    let within = (span, name()).prop_map(|(span, anchor)| StepWithin { span, anchor, place: place() });
    let parts = (
        select(relations),
        term,
        option::of(quantifier()),
        vec(modifier(), 0..2),
        option::of(expr()),
        option::of(expr()),
        option::of(within),
    );
    parts.prop_map(|(relation, term, quantifier, modifiers, condition, until, within)| Step {
        relation,
        relation_place: place(),
        term,
        quantifier,
        modifiers,
        condition,
        until,
        within,
        place: place(),
    })
}

/// The first term has no relation.
fn sequence_of(steps: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Sequence> {
    steps.prop_map(|mut steps| {
        steps[0].relation = Relation::FollowedBy;
        Sequence { steps }
    })
}

fn term() -> impl Strategy<Value = Term> {
    let stage = (name(), option::of(name())).prop_map(|(name, stream)| Term::Stage(Stage { name, stream }));
    stage.prop_recursive(2, 8, 2, |inner| {
        let parts = vec(sequence_of(vec(step(inner), 1..3)), 1..3);
        let kinds = select(vec![GroupKind::Alternatives, GroupKind::AnyOrder]);
        (option::of(number()), kinds, parts).prop_map(|(any_of, kind, parts)| {
            let kind = if parts.len() == 1 { GroupKind::Sequence } else { kind };
            Term::Group(Group { any_of, kind, parts, place: place() })
        })
    })
}

fn entries(least: usize) -> impl Strategy<Value = Vec<Entry>> {
    vec((name(), expr()).prop_map(|(name, value)| Entry { name, value }), least..3)
}

fn clause() -> impl Strategy<Value = Clause> {
    let kind = prop_oneof![
        vec(name(), 1..3).prop_map(ClauseKind::From),
        vec(expr(), 1..3).prop_map(ClauseKind::Key),
        entries(1).prop_map(ClauseKind::KeyMap),
    ];
    kind.prop_map(|kind| Clause { kind, place: place() })
}

fn ending() -> impl Strategy<Value = Ending> {
    let record = (option::of(name()), entries(0)).prop_map(|(name, entries)| Record { name, entries });
    let record = (record, option::of(expr())).prop_map(|(record, condition)| Emission::Record(record, condition));
    let emission = prop_oneof![Just(Emission::None), record].boxed();
    let skip = prop_oneof![
        select(vec![Skip::None, Skip::ToNext, Skip::PastLast]),
        name().prop_map(Skip::ToFirst),
        name().prop_map(Skip::ToLast),
    ];
    let kind = prop_oneof![
        span().prop_map(EndingKind::Within),
        number().prop_map(EndingKind::WithinEvents),
        skip.prop_map(EndingKind::Skip),
        select(vec![Keep::All, Keep::Latest, Keep::First]).prop_map(EndingKind::Keep),
        span().prop_map(EndingKind::Cooldown),
        emission.clone().prop_map(EndingKind::Emit),
        emission.prop_map(EndingKind::Timeout),
    ];
    kind.prop_map(|kind| Ending { kind, place: place() })
}

fn doc() -> impl Strategy<Value = String> {
    select(vec!["", "One line.", "Two\nlines.", " indented\n\nafter an empty one"]).prop_map(String::from)
}

fn type_name() -> impl Strategy<Value = TypeName> {
    let kinds = vec![Type::Int, Type::Decimal, Type::Any, Type::List(Box::new(Type::List(Box::new(Type::Bool))))];
    (select(kinds), any::<bool>()).prop_map(|(kind, nullable)| TypeName { kind, nullable, place: place() })
}

fn field() -> impl Strategy<Value = Field> {
    let mark =
        select(vec![MarkKind::Time, MarkKind::Key, MarkKind::Type]).prop_map(|kind| Mark { kind, place: place() });
    (name(), type_name(), vec(mark, 0..2)).prop_map(|(name, kind, marks)| Field { name, kind, marks })
}

/// Any item.
pub(super) fn item() -> impl Strategy<Value = Item> {
    let pattern = (doc(), name(), vec(clause(), 0..3), sequence_of(vec(step(term()), 1..4)), vec(ending(), 0..3));
    prop_oneof![
        (doc(), name(), vec(field(), 0..3)).prop_map(|(doc, name, fields)| Item::Stream(Stream { doc, name, fields })),
        (doc(), name(), type_name(), option::of(expr())).prop_map(|(doc, name, kind, default)| Item::Param(Param {
            doc,
            name,
            kind,
            default
        })),
        (doc(), name(), option::of(vec(name(), 0..3)), expr())
            .prop_map(|(doc, name, parameters, value)| Item::Let(Let { doc, name, parameters, value })),
        (doc(), name(), name(), vec(field(), 0..3)).prop_map(|(doc, name, key, fields)| Item::Table(Table {
            doc,
            name,
            key,
            fields
        })),
        pattern.prop_map(|(doc, name, clauses, sequence, endings)| {
            Item::Pattern(Pattern { doc, name: Some(name), clauses, sequence, endings })
        }),
    ]
}

proptest! {
    #[test]
    fn every_tree_reads_as_it_was_printed(items in vec(item(), 1..3)) {
        let file = File { items };
        let text = print(&file);
        let read = parse(&Source::new("x", text.as_str()));
        prop_assert_eq!(read, (file, Vec::new()), "{}", text);
    }
}
