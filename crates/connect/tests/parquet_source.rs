//! What a source of Parquet files gives: files that are written here, as lines of JSON.
#![cfg(feature = "parquet")]

use std::fs::{self, File};
use std::sync::Arc;
use std::time::Duration;

use ensue_connect::{ParquetSource, ParquetSourceConfig, Position, Read, Source};
use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

struct Files {
    folder: TempDir,
    config: ParquetSourceConfig,
}

impl Files {
    fn new(path: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = vec![folder.path().join(path).display().to_string()];
        Files { folder, config: ParquetSourceConfig { paths, columns: None } }
    }

    fn columns(mut self, columns: &[&str]) -> Self {
        self.config.columns = Some(columns.iter().map(|&column| column.to_owned()).collect());
        self
    }

    /// Writes a file of row groups, each of columns.
    fn write(&self, name: &str, schema: &str, compression: Compression, groups: &[Vec<Column>]) {
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let file = File::create(self.folder.path().join(name)).expect("made");
        let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
        for columns in groups {
            let mut group = writer.next_row_group().expect("a row group");
            for column in columns {
                let mut writer = group.next_column().expect("a column").expect("as many as the schema has");
                column.write(&mut writer);
                writer.close().expect("written");
            }
            group.close().expect("written");
        }
        writer.close().expect("written");
    }

    /// Numbers from one on, in row groups of these lengths.
    fn write_numbers(&self, name: &str, lengths: &[i64], compression: Compression) {
        let mut first = 1;
        let groups: Vec<Vec<Column>> = lengths
            .iter()
            .map(|length| {
                let numbers: Vec<i64> = (first..first + length).collect();
                first += length;
                let texts = numbers.iter().map(|number| format!("row {number}").into_bytes()).collect();
                vec![Column::of(Values::Longs(numbers)), Column::of(Values::Bytes(texts))]
            })
            .collect();
        self.write(name, "message rows { required int64 n; required binary text (UTF8); }", compression, &groups);
    }

    fn open(&self, from: Option<&Position>) -> ParquetSource {
        ParquetSource::open(&self.config, from).expect("opened")
    }

    fn refusal(&self, from: Option<&Position>) -> String {
        self.plain(&ParquetSource::open(&self.config, from).expect_err("refused").to_string())
    }

    fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// All that comes: a line in brackets for each document, and its bytes.
    fn all(&self) -> String {
        self.plain(&rest(&mut self.open(None)))
    }
}

fn rest(source: &mut ParquetSource) -> String {
    let mut told = String::new();
    while let Some(more) = next(source) {
        told += &more;
    }
    told
}

fn next(source: &mut ParquetSource) -> Option<String> {
    match source.read(Duration::ZERO).expect("read") {
        Read::Opened(opened) if opened.offset == 0 => Some(format!("[{}]\n", opened.name)),
        Read::Opened(opened) => Some(format!(
            "[{} from byte {}, behind {} lines, first {}]\n",
            opened.name,
            opened.offset,
            opened.lines,
            str::from_utf8(opened.first_line).expect("text").trim_end()
        )),
        Read::Bytes(bytes) => Some(str::from_utf8(bytes).expect("text").to_owned()),
        Read::Nothing => Some(String::new()),
        Read::Ended => None,
    }
}

/// A column of a row group: what is there, and at which levels something is missing or repeated.
struct Column {
    values: Values,
    definitions: Option<Vec<i16>>,
    repetitions: Option<Vec<i16>>,
}

enum Values {
    Bools(Vec<bool>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Int96s(Vec<Int96>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Bytes(Vec<Vec<u8>>),
    Fixed(Vec<Vec<u8>>),
}

impl Column {
    fn of(values: Values) -> Self {
        Column { values, definitions: None, repetitions: None }
    }

    fn texts(texts: &[&str]) -> Self {
        Column::of(Values::Bytes(texts.iter().map(|text| text.as_bytes().to_vec()).collect()))
    }

    fn levels(self, definitions: &[i16], repetitions: &[i16]) -> Self {
        let repetitions = (!repetitions.is_empty()).then(|| repetitions.to_vec());
        Column { definitions: Some(definitions.to_vec()), repetitions, ..self }
    }

    fn write(&self, writer: &mut SerializedColumnWriter<'_>) {
        match &self.values {
            Values::Bools(values) => self.write_as::<BoolType>(values, writer),
            Values::Ints(values) => self.write_as::<Int32Type>(values, writer),
            Values::Longs(values) => self.write_as::<Int64Type>(values, writer),
            Values::Int96s(values) => self.write_as::<Int96Type>(values, writer),
            Values::Floats(values) => self.write_as::<FloatType>(values, writer),
            Values::Doubles(values) => self.write_as::<DoubleType>(values, writer),
            Values::Bytes(values) => {
                let values: Vec<ByteArray> = values.iter().cloned().map(ByteArray::from).collect();
                self.write_as::<ByteArrayType>(&values, writer);
            }
            Values::Fixed(values) => {
                let values: Vec<FixedLenByteArray> = values.iter().cloned().map(FixedLenByteArray::from).collect();
                self.write_as::<FixedLenByteArrayType>(&values, writer);
            }
        }
    }

    fn write_as<T: DataType>(&self, values: &[T::T], writer: &mut SerializedColumnWriter<'_>) {
        let column = writer.typed::<T>();
        column.write_batch(values, self.definitions.as_deref(), self.repetitions.as_deref()).expect("written");
    }
}

#[test]
fn values_are_what_their_types_say() {
    let files = Files::new("a.parquet");
    let schema = "message rows {
        required boolean flag;
        optional int32 int;
        required int32 tiny (UINT_8);
        required int64 huge (UINT_64);
        required float float;
        required double double;
        required binary text (UTF8);
        required binary bytes;
        required int32 day (DATE);
        required int32 at (TIME(MILLIS, true));
        required int64 millis (TIMESTAMP(MILLIS, true));
        required int64 micros (TIMESTAMP(MICROS, true));
        required int64 nanos (TIMESTAMP(NANOS, false));
        required int96 old;
        required int64 price (DECIMAL(18, 2));
        required fixed_len_byte_array(16) amount (DECIMAL(38, 10));
        required fixed_len_byte_array(16) id (UUID);
    }";
    let second = 1_611_047_605;
    let mut old = Int96::new();
    old.set_data(3_723_000_000_000_u64 as u32, (3_723_000_000_000_u64 >> 32) as u32, 2_440_588 + 1);
    let amount = |digits: i128| digits.to_be_bytes().to_vec();
    files.write(
        "a.parquet",
        schema,
        Compression::UNCOMPRESSED,
        &[vec![
            Column::of(Values::Bools(vec![true, false])),
            Column::of(Values::Ints(vec![-7])).levels(&[1, 0], &[]),
            Column::of(Values::Ints(vec![255, 0])),
            Column::of(Values::Longs(vec![-1, 1])),
            Column::of(Values::Floats(vec![0.1, f32::NAN])),
            Column::of(Values::Doubles(vec![0.1, f64::INFINITY])),
            Column::texts(&["a \"b\"\né", ""]),
            Column::of(Values::Bytes(vec![b"text".to_vec(), vec![0xff, 0x00]])),
            Column::of(Values::Ints(vec![18_646, -1])),
            Column::of(Values::Ints(vec![36_000_000, 86_399_999])),
            Column::of(Values::Longs(vec![second * 1_000, -1])),
            Column::of(Values::Longs(vec![second * 1_000_000 + 5, i64::MAX])),
            Column::of(Values::Longs(vec![second * 1_000_000_000 + 123_456_789, -1])),
            Column::of(Values::Int96s(vec![old, old])),
            Column::of(Values::Longs(vec![1_050, -5])),
            Column::of(Values::Fixed(vec![amount(123_456_789_012_345_678_901_234_567), amount(-1)])),
            Column::of(Values::Fixed(vec![(0..16).collect(), vec![0xab; 16]])),
        ]],
    );
    insta::assert_snapshot!(files.all());
}

#[test]
fn lists_structs_and_maps_are_nested_as_they_are() {
    let files = Files::new("a.parquet");
    let schema = "message rows {
        optional group times (LIST) { repeated group list { optional int64 element (TIMESTAMP(NANOS, true)); } }
        required group who { required binary name (UTF8); optional int32 age; }
        required group notes (MAP) { repeated group key_value { required int32 key; optional binary value (UTF8); } }
        repeated int32 plain;
    }";
    files.write(
        "a.parquet",
        schema,
        Compression::UNCOMPRESSED,
        &[vec![
            Column::of(Values::Longs(vec![1_000, 2_000_000_000])).levels(&[3, 2, 3, 1, 0], &[0, 1, 1, 0, 0]),
            Column::texts(&["ann", "bob", "cy"]),
            Column::of(Values::Ints(vec![40])).levels(&[0, 1, 0], &[]),
            Column::of(Values::Ints(vec![1, 2])).levels(&[1, 1, 0, 0], &[0, 1, 0, 0]),
            Column::texts(&["one"]).levels(&[2, 1, 0, 0], &[0, 1, 0, 0]),
            Column::of(Values::Ints(vec![1, 2, 3])).levels(&[1, 1, 0, 1], &[0, 1, 0, 0]),
        ]],
    );
    insta::assert_snapshot!(files.all(), @r#"
    [a.parquet]
    {"times":["1970-01-01T00:00:00.000001Z",null,"1970-01-01T00:00:02Z"],"who":{"name":"ann","age":null},"notes":{"1":"one","2":null},"plain":[1,2]}
    {"times":[],"who":{"name":"bob","age":40},"notes":{},"plain":[]}
    {"times":null,"who":{"name":"cy","age":null},"notes":{},"plain":[3]}
    "#);
}

#[test]
fn all_rows_of_all_files_come_in_order_however_they_are_compressed() {
    let files = Files::new("*.parquet");
    files.write_numbers("1.parquet", &[2, 1], Compression::SNAPPY);
    files.write_numbers("2.parquet", &[1], Compression::ZSTD(Default::default()));
    files.write_numbers("3.parquet", &[1], Compression::GZIP(Default::default()));
    files.write_numbers("4.parquet", &[1], Compression::LZ4_RAW);
    files.write_numbers("10.parquet", &[], Compression::UNCOMPRESSED);
    let row = |number: u32| format!("{{\"n\":{number},\"text\":\"row {number}\"}}\n");
    let expected = format!(
        "[1.parquet]\n{}{}{}[2.parquet]\n{}[3.parquet]\n{}[4.parquet]\n{}[10.parquet]\n",
        row(1),
        row(2),
        row(3),
        row(1),
        row(1),
        row(1)
    );
    assert_eq!(files.all(), expected);
}

#[test]
fn only_the_columns_that_are_asked_for_are_read() {
    let files = Files::new("a.parquet").columns(&["text"]);
    files.write_numbers("a.parquet", &[2], Compression::SNAPPY);
    assert_eq!(files.all(), "[a.parquet]\n{\"text\":\"row 1\"}\n{\"text\":\"row 2\"}\n");
}

#[test]
fn a_source_goes_on_at_every_position() {
    let files = Files::new("*.parquet");
    files.write_numbers("1.parquet", &[20_000, 5, 0, 9_000], Compression::SNAPPY);
    files.write_numbers("2.parquet", &[3], Compression::SNAPPY);
    let mut source = files.open(None);
    let mut positions = vec![(source.position(), String::new())];
    let mut given = String::new();
    while let Some(more) = next(&mut source) {
        given += if more.starts_with('[') { "" } else { &more };
        positions.push((source.position(), given.clone()));
    }
    assert!(positions.len() > 6);
    for (position, before) in positions {
        let after = rest(&mut files.open(Some(&position)));
        let after: String = after.split_inclusive('\n').filter(|line| !line.starts_with('[')).collect();
        assert!(before + &after == given, "{}", position.0);
    }
}

#[test]
fn a_document_that_goes_on_says_where() {
    let files = Files::new("a.parquet").columns(&["n"]);
    files.write_numbers("a.parquet", &[100_000], Compression::SNAPPY);
    let mut source = files.open(None);
    next(&mut source);
    let chunk = next(&mut source).expect("rows");
    let position = source.position();
    let mut again = files.open(Some(&position));
    let opened = files.plain(&next(&mut again).expect("it is opened"));
    let expected =
        format!("[a.parquet from byte {}, behind {} lines, first {{\"n\":1}}]\n", chunk.len(), chunk.lines().count());
    assert_eq!(opened, expected);
}

#[test]
fn what_cannot_be_read_is_said() {
    let files = Files::new("*.parquet");
    assert_eq!(files.refusal(None), "no file is called `*.parquet`");
    let reason = |files: &Files| {
        let error = files.open(None).read(Duration::ZERO).expect_err("refused");
        assert!(error.is_final());
        files.plain(&error.to_string())
    };
    fs::write(files.folder.path().join("a.parquet"), "id,type\n1,a\n").expect("written");
    assert_eq!(reason(&files), "cannot read `a.parquet` as Parquet: Invalid Parquet file. Corrupt footer");
    fs::write(files.folder.path().join("a.parquet"), "").expect("written");
    assert_eq!(reason(&files), "cannot read `a.parquet` as Parquet: Parquet file too small. Size is 0 but need 8");
    files.write(
        "a.parquet",
        "message rows { required fixed_len_byte_array(12) every (INTERVAL); }",
        Compression::SNAPPY,
        &[],
    );
    assert_eq!(
        reason(&files),
        "cannot read `a.parquet`: its column `every` is FIXED_LEN_BYTE_ARRAY as INTERVAL, which is not read; name the other columns"
    );
    let other = Files::new("a.parquet").columns(&["n", "type"]);
    other.write_numbers("a.parquet", &[1], Compression::SNAPPY);
    assert_eq!(reason(&other), "cannot read `a.parquet`: it has no column `type`; its columns are `n`, `text`");
}

#[test]
fn rows_in_front_of_a_broken_page_are_given_and_then_an_error() {
    let files = Files::new("a.parquet");
    files.write_numbers("a.parquet", &[10, 10], Compression::UNCOMPRESSED);
    let path = files.folder.path().join("a.parquet");
    let mut bytes = fs::read(&path).expect("read");
    // The second row group lies behind the first.
    let second = bytes.windows(6).position(|bytes| bytes == b"row 11").expect("it is there");
    bytes[second - 40..second].fill(0xff);
    fs::write(&path, bytes).expect("written");
    let mut source = files.open(None);
    next(&mut source);
    assert_eq!(next(&mut source).map(|rows| rows.lines().count()), Some(10));
    for _ in 0..2 {
        let error = source.read(Duration::ZERO).expect_err("broken");
        assert!(files.plain(&error.to_string()).starts_with("cannot read `a.parquet` behind row 10: "), "{error}");
    }
}

#[test]
fn a_position_that_does_not_fit_is_refused() {
    let mut files = Files::new("a.parquet");
    files.write_numbers("a.parquet", &[5], Compression::SNAPPY);
    let mut source = files.open(None);
    next(&mut source);
    next(&mut source);
    let position = source.position();
    assert!(position.0.ends_with("\"columns\":null,\"row\":5,\"offset\":115}"), "{}", position.0);
    files.write_numbers("a.parquet", &[6], Compression::SNAPPY);
    assert_eq!(
        files.refusal(Some(&position)),
        "cannot go on in `a.parquet` at row 5: it is not the file that was read so far; put that one back"
    );
    fs::remove_file(files.folder.path().join("a.parquet")).expect("removed");
    files.write_numbers("b.parquet", &[5], Compression::SNAPPY);
    files.config.paths.push(files.folder.path().join("b.parquet").display().to_string());
    assert_eq!(files.refusal(Some(&position)), "cannot read `a.parquet`: no such file or directory");
    files.config.columns = Some(vec!["n".to_owned()]);
    assert_eq!(
        files.refusal(Some(&position)),
        "cannot go on in `a.parquet` at row 5: other columns are asked for, so that its lines are not the same"
    );
    assert_eq!(
        files.refusal(Some(&Position("5".into()))),
        "the position `5` is none of a source of Parquet files: invalid type: integer `5`, expected the place in a Parquet file \
         at line 1 column 1"
    );
}

#[test]
fn no_broken_byte_is_worse_than_an_error() {
    let files = Files::new("a.parquet");
    files.write_numbers("a.parquet", &[3, 2], Compression::SNAPPY);
    let path = files.folder.path().join("a.parquet");
    let whole = fs::read(&path).expect("read");
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        fs::write(&path, broken).expect("written");
        let mut source = files.open(None);
        while !matches!(source.read(Duration::ZERO), Ok(Read::Ended) | Err(_)) {}
    }
}
