//! `ensue run` with tables of reference data.

use crate::shell::Shell;

const FRESH: &str = "
table products key sku { sku: string, category: string, price: decimal?, since: timestamp? }

pattern fresh
begin buy where products[sku].category == \"fresh\"
emit { sku: buy.sku, price: products[buy.sku].price, since: products[buy.sku].since }
";

const RUN: &str = "ensue run -p fresh.pattern -i in.csv --time t --time-unit s";

/// Purchases of three products, of which two are in the tables.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.file("fresh.pattern", FRESH);
    shell.file("in.csv", "id,type,sku,t\n1,buy,a1,1\n2,buy,b2,2\n3,buy,c3,3\n4,buy,a1,4\n");
    shell.file("products.csv", "category,note,since,sku,price\nfresh,x,2021-01-19T10:00:00Z,a1,0.10\ntinned,,,b2,\n");
    shell.file(
        "products.jsonl",
        "{\"sku\": \"a1\", \"category\": \"fresh\", \"price\": 0.10, \"since\": \"2021-01-19T10:00:00Z\"}\n",
    );
    shell
}

#[test]
fn what_is_looked_up_is_what_the_row_of_the_key_has() {
    let shell = shell();
    let of_csv = shell.run(&format!("{RUN} --table products=products.csv"));
    insta::assert_snapshot!(of_csv);
    assert_eq!(of_csv, shell.run(&format!("{RUN} --table products=products.jsonl")));
    assert_eq!(of_csv, shell.run(&format!("{RUN} --table products=products.csv --shards 3")));
}

#[test]
fn a_table_that_is_not_given_has_no_rows_which_is_said() {
    insta::assert_snapshot!(shell().run(RUN));
}

#[test]
fn a_table_that_cannot_be_read_is_told_with_its_file_line_and_column() {
    let shell = shell();
    shell.file("other.csv", "sku,price\na1,1\n").file("twice.csv", "sku,category\na1,x\nb2,y\na1,z\n");
    shell.file("dear.csv", "sku,category,price\na1,x,1\nb2,y,dear\n").file("null.jsonl", "{\"sku\": \"a1\"}\n");
    shell.file("keyless.csv", "sku,category\na1,x,y\n").file("products.txt", "").file("empty.csv", "");
    let tables = [
        "products=none.csv",
        "products=other.csv",
        "products=twice.csv",
        "products=dear.csv",
        "products=null.jsonl",
        "products=keyless.csv",
        "products=empty.csv",
        "products=products.txt",
        "products=-",
        "product=products.csv",
        "products=products.csv --table products=products.jsonl",
        "products.csv",
        "products=products.csv --matches products.csv",
    ];
    insta::assert_snapshot!(
        tables
            .map(|table| format!("$ .. --table {table}\n{}", shell.run(&format!("{RUN} --table {table}"))))
            .join("\n")
    );
}

#[test]
fn a_table_that_is_given_and_not_declared_was_meant_for_another() {
    let shell = shell();
    shell.file("fresh.pattern", "pattern fresh begin buy");
    insta::assert_snapshot!(shell.run(&format!("{RUN} --table products=products.csv")));
}
