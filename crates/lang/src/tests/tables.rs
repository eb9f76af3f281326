//! What is looked up in tables.

use ensue_model::Type;
use ensue_model::expr::{Ask, BinaryOperator, Expr, Pick};
use ensue_model::table::{ColumnId, TableId, TableShape};
use ensue_model::{Patterns, Value};

use super::checked::{constant, field, pattern};
use super::streams::{conditions, patterns};
use crate::{Options, Source, compile};

const PRODUCTS: &str = "/// What is sold.\ntable products key sku { sku: string category: string? price: decimal }\n";

fn lookup(table: u16, key: Box<Expr>, column: u16) -> Box<Expr> {
    Box::new(Expr::Lookup(TableId(table), key, ColumnId(column)))
}

fn condition(text: &str) -> Expr {
    conditions(&pattern(text)).remove(0)
}

#[test]
fn a_table_gives_a_column_of_the_row_that_a_key_has() {
    let Patterns { tables, patterns, .. } =
        patterns(&format!("{PRODUCTS}pattern p begin a where products[sku].price > 0.5"));
    let [TableShape { name, doc, key, columns }] = tables.as_slice() else { panic!("there is one") };
    assert_eq!((name.as_str(), doc.as_str(), *key), ("products", "What is sold.", ColumnId(0)));
    assert_eq!(columns.iter().map(|column| column.nullable).collect::<Vec<_>>(), [false, true, false]);
    // The column's type is that of the lookup: what meets a decimal is exact.
    let exact = constant(Value::Decimal("0.5".parse().expect("a decimal")));
    let greater = Expr::Binary(BinaryOperator::Greater, lookup(0, field(0), 2), exact);
    assert_eq!(conditions(&patterns[0]), [greater]);
}

#[test]
fn the_key_of_a_lookup_is_any_expression_over_what_is_at_hand() {
    let text = format!(
        "{PRODUCTS}table parents key of {{ of: string parent: string }}\nlet category(s) = products[s].category\n\
         pattern p begin a+ where true next b where category(parents[a.sku].parent) == category(sku)\n\
         and sum(products[a.sku].price) > 10 and any(a, products[sku].price > 5) within 1h"
    );
    let pattern = pattern(&text);
    let asks: Vec<&Ask> = pattern.lookbacks.iter().map(|lookback| &lookback.ask).collect();
    // What is asked of a stage is its event's; the table is asked with the answer.
    assert_eq!(asks[0], &Ask::Pick(Pick::Last, *field(0)));
    let Ask::Aggregate(_, price) = asks[1] else { panic!("it is a sum") };
    assert_eq!(*price, *lookup(0, field(0), 2));
    let Ask::Aggregate(_, Expr::Binary(_, price, _)) = asks[2] else { panic!("it is an aggregate") };
    assert_eq!(*price, lookup(0, field(0), 2));
}

#[test]
fn what_is_written_as_a_key_has_the_type_of_its_column() {
    let table = |kind: &str| format!("table t key k {{ k: {kind} v: bool }}\npattern p begin a where t[2].v");
    assert_eq!(condition(&table("int")), *lookup(0, constant(2), 1));
    assert_eq!(condition(&table("float")), *lookup(0, constant(2.0), 1));
    assert_eq!(condition(&table("any")), *lookup(0, constant(2), 1));
    let two = Value::Decimal("2".parse().expect("a decimal"));
    assert_eq!(condition(&table("decimal")), *lookup(0, constant(two), 1));
    let half = Value::Decimal("0.5".parse().expect("a decimal"));
    assert_eq!(condition(&table("decimal").replace("t[2]", "t[0.5]")), *lookup(0, constant(half), 1));
}

#[test]
fn a_table_hides_a_field_and_a_let_or_a_stage_hides_a_table() {
    let declared = "stream s { t: list<int> } table t key k { k: int v: int }\n";
    assert_eq!(condition(&format!("{declared}pattern p begin a where t[1].v == 1")), {
        Expr::Binary(BinaryOperator::Equal, lookup(0, constant(1), 1), constant(1))
    });
    let of_field = condition(&format!("{declared}pattern p begin a where this.t[1] == 1"));
    assert_eq!(
        of_field,
        Expr::Binary(BinaryOperator::Equal, Box::new(Expr::Index(field(0), constant(1))), constant(1))
    );
    let of_stage =
        pattern("table t key k { k: int v: int }\npattern p begin t+ where true next b where t[1].v == 1 within 1h");
    assert_eq!(of_stage.lookbacks[0].ask, Ask::Pick(Pick::At(1), *field(0)));
}

#[test]
fn tables_of_other_files_are_known() {
    let sources = [
        Source::new(
            "a.pattern",
            "pattern a key id begin x where products[sku].price > 1 emit e { c: products[x.sku].category }",
        ),
        Source::new("products.pattern", PRODUCTS),
    ];
    let compiled = compile(&sources, &Options::default()).unwrap_or_else(|errors| panic!("{errors}"));
    let emit = compiled.patterns.patterns[0].emit.record().expect("it is there");
    assert_eq!((emit.entries[0].kind.clone(), compiled.patterns.tables.len()), (Type::String, 1));
}
