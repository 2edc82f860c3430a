use super::*;
use parquet::data_type::{BoolType, ByteArrayType, Int32Type, Int64Type};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

const SCHEMA: &str = "message rows {
    optional group image { optional binary bytes; optional binary path (STRING); }
    required int64 number;
    required boolean positive;
    required int32 code (INTEGER(32, false));
    required group vector (LIST) { repeated group list { required float element; } } }";

/// One row: the image, its number, its vector.
type Row<'a> = (Option<&'a str>, i64, &'a [f32]);

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    defined: Option<&[i16]>,
    repeated: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, defined, repeated).unwrap();
    column.close().unwrap();
}

/// A file with these row groups.
fn file(folder: &Path, groups: &[&[Row<'_>]]) -> PathBuf {
    let path = folder.join("rows.parquet");
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        let images: Vec<ByteArray> = rows.iter().filter_map(|row| row.0.map(|text| text.into())).collect();
        let defined: Vec<i16> = rows.iter().map(|row| if row.0.is_some() { 2 } else { 1 }).collect();
        column::<ByteArrayType>(&mut group, &images, Some(&defined), None);
        column::<ByteArrayType>(&mut group, &[], Some(&vec![1; rows.len()]), None);
        column::<Int64Type>(&mut group, &rows.iter().map(|row| row.1).collect::<Vec<_>>(), None, None);
        column::<BoolType>(&mut group, &rows.iter().map(|row| row.1 > 0).collect::<Vec<_>>(), None, None);
        column::<Int32Type>(&mut group, &rows.iter().map(|row| row.1 as i32).collect::<Vec<_>>(), None, None);
        let values: Vec<f32> = rows.iter().flat_map(|row| row.2.iter().copied()).collect();
        let repeated: Vec<i16> =
            rows.iter().flat_map(|row| (0..row.2.len()).map(|index| i16::from(index > 0))).collect();
        column::<FloatType>(&mut group, &values, Some(&vec![1; values.len()]), Some(&repeated));
        group.close().unwrap();
    }
    writer.close().unwrap();
    path
}

#[test]
fn every_column_comes_back_across_row_groups() {
    let folder = tempfile::tempdir().unwrap();
    let first: [Row<'_>; 3] = [(Some("a"), 7, &[1.0, 2.0]), (None, -1, &[3.0, 4.0]), (Some("c"), 0, &[5.0, 6.0])];
    let second: [Row<'_>; 2] = [(Some(""), 3, &[7.0, 8.0]), (Some("e"), 4, &[9.0, 10.0])];
    let columns = Columns::open(&file(folder.path(), &[&first, &second])).unwrap();
    assert_eq!(columns.rows(), 5);
    let find = |name: &str| columns.find(name).unwrap();
    let images: Vec<Option<Vec<u8>>> =
        first.iter().chain(&second).map(|row| row.0.map(|text| text.as_bytes().to_vec())).collect();
    for start in 0..=5 {
        for count in 0..=5 - start {
            let found = columns.bytes(find("image.bytes"), start, count).unwrap();
            assert_eq!(found, images[start..start + count], "{count} from {start}");
        }
    }
    let numbers: Vec<Option<String>> = ["7", "-1", "0", "3", "4"].map(|text| Some(text.to_owned())).into();
    assert_eq!(columns.texts(find("number")).unwrap(), numbers);
    assert_eq!(columns.texts(find("code")).unwrap()[1].as_deref(), Some("4294967295"), "a number without a sign");
    let positive: Vec<Option<String>> = [true, false, false, true, true].map(|flag| Some(flag.to_string())).into();
    assert_eq!(columns.texts(find("positive")).unwrap(), positive);
    assert_eq!(columns.texts(find("image.path")).unwrap(), vec![None; 5]);
    let floats = columns.floats(find("vector")).unwrap();
    assert_eq!(floats, Floats { width: 2, values: (1..=10u8).map(f32::from).collect() });
    assert_eq!((columns.find("image"), columns.find("vec")), (None, None), "a struct of two is not one column");
}

#[test]
fn columns_of_another_type_and_lists_of_several_lengths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rows: [Row<'_>; 3] = [(None, 1, &[1.0, 2.0]), (None, 2, &[3.0]), (None, 3, &[4.0, 5.0, 6.0])];
    let columns = Columns::open(&file(folder.path(), &[&rows])).unwrap();
    let find = |name: &str| columns.find(name).unwrap();
    let messages = [
        columns.floats(find("vector")).map(|_| ()).unwrap_err().to_string(),
        columns.floats(find("number")).map(|_| ()).unwrap_err().to_string(),
        columns.bytes(find("number"), 0, 1).map(|_| ()).unwrap_err().to_string(),
        columns.texts(find("vector")).map(|_| ()).unwrap_err().to_string(),
        columns.bytes(find("vector"), 0, 1).map(|_| ()).unwrap_err().to_string(),
    ];
    let expected = ["several lengths", "32-bit floats", "bytes", "one value for each row, but lists", "but lists"];
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.contains("rows.parquet") && message.contains(expected), "{message}");
    }
    std::fs::write(folder.path().join("text.parquet"), "text").unwrap();
    assert!(Columns::open(&folder.path().join("text.parquet")).is_err());
}
