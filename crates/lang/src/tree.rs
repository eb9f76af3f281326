//! The syntax tree: what was written, with places. Names are not resolved, literals are kept as they were written.

use ensue_model::Type;
use ensue_model::expr::BinaryOperator;
use ensue_model::pattern::Relation;

/// Where something stands in its source: bytes from `start` up to, not including, `end`.
///
/// All places are equal to each other, so that trees compare by what they say and not by where they say it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Place {
    /// From this place's start to the other's end.
    pub fn to(self, other: Place) -> Place {
        Place { start: self.start, end: other.end }
    }
}

/// A name that the user gave or asks for; backticks are gone.
#[derive(Clone, PartialEq, Debug)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// All that a source holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct File {
    /// In the order of the text.
    pub items: Vec<Item>,
}

/// What stands at the top level.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// `stream orders { .. }`
    Stream(Stream),
    /// `param patience: duration = 15m`
    Param(Param),
    /// `let large = amount > 1_000`
    Let(Let),
    /// `table products key sku { .. }`
    Table(Table),
    /// `pattern p ..`, or a bare body.
    Pattern(Pattern),
}

/// What the events of a stream look like.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    /// What `///` said before it.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field of a stream or a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: TypeName,
    /// `@key`, `@type`, `@time`.
    pub marks: Vec<Mark>,
}

/// A type as it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeName {
    /// The type.
    pub kind: Type,
    /// Whether `?` stood behind it.
    pub nullable: bool,
    /// Where it stands.
    pub place: Place,
}

/// What a field is for.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// What.
    pub kind: MarkKind,
    /// Where it stands.
    pub place: Place,
}

/// What a field can be for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkKind {
    /// `@time`: the event time.
    Time,
    /// `@key`: the default key.
    Key,
    /// `@type`: what a bare stage name stands for.
    Type,
}

/// A value that the caller may set.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// What `///` said before it.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: TypeName,
    /// Its value where the caller gives none.
    pub default: Option<Expr>,
}

/// A named condition or value.
#[derive(Clone, PartialEq, Debug)]
pub struct Let {
    /// What `///` said before it.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// Its parameters; none where it has no parentheses.
    pub parameters: Option<Vec<Name>>,
    /// What it stands for.
    pub value: Expr,
}

/// Reference data that the job binds.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// What `///` said before it.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// The field by which rows are found.
    pub key: Name,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A pattern.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// What `///` said before it.
    pub doc: String,
    /// Its name; none where the file holds only a body.
    pub name: Option<Name>,
    /// What stands before the sequence.
    pub clauses: Vec<Clause>,
    /// The sequence.
    pub sequence: Sequence,
    /// What stands behind the sequence.
    pub endings: Vec<Ending>,
}

/// What stands before a sequence.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// What it says.
    pub kind: ClauseKind,
    /// Where it stands.
    pub place: Place,
}

/// What can stand before a sequence.
#[derive(Clone, PartialEq, Debug)]
pub enum ClauseKind {
    /// `from orders, receipts`
    From(Vec<Name>),
    /// `key tenant, user_id`
    Key(Vec<Expr>),
    /// `key { parent: pid, child: parent_pid }`
    KeyMap(Vec<Entry>),
    /// `active from .. until ..`
    Active {
        /// The first instant at which the pattern looks at events.
        from: Option<Expr>,
        /// The first instant at which it does no longer.
        until: Option<Expr>,
    },
}

/// `name: expression`
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The name.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// What stands behind a sequence.
#[derive(Clone, PartialEq, Debug)]
pub struct Ending {
    /// What it says.
    pub kind: EndingKind,
    /// Where it stands.
    pub place: Place,
}

/// What can stand behind a sequence.
#[derive(Clone, PartialEq, Debug)]
pub enum EndingKind {
    /// `within 15m`: a duration, or a parameter.
    Within(Expr),
    /// `within 100 events`
    WithinEvents(Number),
    /// `skip past last`
    Skip(Skip),
    /// `keep latest`
    Keep(Keep),
    /// `cooldown 1h`
    Cooldown(Expr),
    /// `emit paid { .. }`
    Emit(Emission),
    /// `timeout unpaid { .. }`
    Timeout(Emission),
}

/// What outputs come out as.
#[derive(Clone, PartialEq, Debug)]
pub enum Emission {
    /// `none`: they do not come out.
    None,
    /// `paid { .. } where ..`: as a record, those for which the condition holds.
    Record(Record, Option<Expr>),
}

impl Emission {
    /// The record, if there is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Emission::None => None,
            Emission::Record(record, _) => Some(record),
        }
    }
}

/// A count as it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Number {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// What a match does to the other runs of its key.
#[derive(Clone, PartialEq, Debug)]
pub enum Skip {
    /// `skip none`
    None,
    /// `skip to next`
    ToNext,
    /// `skip past last`
    PastLast,
    /// `skip to first a`
    ToFirst(Name),
    /// `skip to last a`
    ToLast(Name),
}

/// Which runs a key keeps where several wait for the same term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// `keep all`
    All,
    /// `keep latest`
    Latest,
    /// `keep first`
    First,
}

/// `paid { order_id: create.order_id }`
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Its fields.
    pub entries: Vec<Entry>,
}

/// Terms in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Sequence {
    /// At least one; the first one's relation is `FollowedBy` and says nothing.
    pub steps: Vec<Step>,
}

/// A term with its relation to the one before.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// What may lie between.
    pub relation: Relation,
    /// Where the relation, or `begin`, stands; empty where `begin` was left out.
    pub relation_place: Place,
    /// The stage or group.
    pub term: Term,
    /// `?`, `{2,4}`
    pub quantifier: Option<Quantifier>,
    /// `optional`, `greedy`, ...
    pub modifiers: Vec<Modifier>,
    /// `where ..`
    pub condition: Option<Expr>,
    /// `until ..`
    pub until: Option<Expr>,
    /// `within .. of ..`
    pub within: Option<StepWithin>,
    /// Where the whole stands, without the relation.
    pub place: Place,
}

/// A stage or a group.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// `pay: receipts`
    Stage(Stage),
    /// `( .. )`
    Group(Group),
}

/// A stage.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// The stream of whose events it takes.
    pub stream: Option<Name>,
}

/// A group.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// `any 2 of`
    pub any_of: Option<Number>,
    /// How its parts belong together.
    pub kind: GroupKind,
    /// The parts; one for a nested sequence.
    pub parts: Vec<Sequence>,
    /// Where it stands, from the parenthesis, or `any`, on.
    pub place: Place,
}

/// How the parts of a group belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupKind {
    /// One part: a nested sequence.
    Sequence,
    /// `a | b`: either.
    Alternatives,
    /// `a & b`: all, in any order.
    AnyOrder,
}

/// How often a term is taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantifier {
    /// How often.
    pub kind: QuantifierKind,
    /// Where it stands.
    pub place: Place,
}

/// How often a term can be taken.
#[derive(Clone, PartialEq, Debug)]
pub enum QuantifierKind {
    /// `?`
    Optional,
    /// `+`
    OneOrMore,
    /// `*`
    Any,
    /// `{2}`
    Times(Number),
    /// `{2,}`
    AtLeast(Number),
    /// `{2,4}`
    Between(Number, Number),
}

/// A word behind a quantifier.
#[derive(Clone, PartialEq, Debug)]
pub struct Modifier {
    /// Which.
    pub kind: ModifierKind,
    /// Where it stands.
    pub place: Place,
}

/// The words that can stand behind a quantifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModifierKind {
    /// `optional`
    Optional,
    /// `greedy`
    Greedy,
    /// `consecutive`
    Consecutive,
    /// `combinations`
    Combinations,
}

/// `within 5m of previous`, `within 5 events of previous`
#[derive(Clone, PartialEq, Debug)]
pub struct StepWithin {
    /// How long.
    pub span: StepSpan,
    /// `previous`, or a stage.
    pub anchor: Name,
    /// Where it stands.
    pub place: Place,
}

/// The length of a step's window.
#[derive(Clone, PartialEq, Debug)]
pub enum StepSpan {
    /// `5m`: a duration, or a parameter.
    Time(Expr),
    /// `5 events`
    Events(Number),
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Where it stands, with the parentheses around it.
    pub place: Place,
}

/// What an expression can say. Numbers, durations and times are the text that was written.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `1_000`
    Int(String),
    /// `2.5`
    Float(String),
    /// `15m`
    Duration(String),
    /// `2021-01-19T10:00:00Z`, without the `@`.
    Time(String),
    /// `"text"`: what it stands for, without quotes and escapes.
    Text(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// A field, a stage, a parameter, or a let.
    Name(Name),
    /// `a.x`
    Member(Box<Expr>, Name),
    /// `a[i]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`
    Call(Name, Vec<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a and b and c`: two or more. Not nested pairs, so that a long condition is not a deep tree.
    And(Vec<Expr>),
    /// `a or b or c`: two or more.
    Or(Vec<Expr>),
    /// `a + b`, `a < b`, `a ?? b`; never `and` or `or`.
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `a between low and high`
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a in b`
    In(Box<Expr>, Box<Expr>),
    /// `a like "x%"`
    Like(Box<Expr>, Box<Expr>),
    /// `a matches "x.*"`
    Matches(Box<Expr>, Box<Expr>),
    /// `a is null`
    IsNull(Box<Expr>),
    /// `a is not null`
    IsNotNull(Box<Expr>),
    /// `if c then a else b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
}

impl Expr {
    /// The expressions directly inside, in the order of the text.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Duration(_) => {
                vec![]
            }
            ExprKind::Time(_) | ExprKind::Text(_) | ExprKind::Name(_) => vec![],
            ExprKind::Member(a, _) | ExprKind::Not(a) | ExprKind::Negate(a) => vec![a],
            ExprKind::IsNull(a) | ExprKind::IsNotNull(a) => vec![a],
            ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::In(a, b) => vec![a, b],
            ExprKind::Like(a, b) | ExprKind::Matches(a, b) => vec![a, b],
            ExprKind::Between(a, b, c) | ExprKind::If(a, b, c) => vec![a, b, c],
            ExprKind::List(items) | ExprKind::Call(_, items) | ExprKind::And(items) | ExprKind::Or(items) => {
                items.iter().collect()
            }
        }
    }

    /// Calls `visit` with every name that stands for something by itself: not with fields behind a dot.
    pub(crate) fn names<'a>(&'a self, visit: &mut impl FnMut(&'a Name)) {
        match &self.kind {
            ExprKind::Name(name) | ExprKind::Call(name, _) => visit(name),
            _ => {}
        }
        for child in self.children() {
            child.names(visit);
        }
    }
}
