//! Encoding, one constant at a time, so that a save needs no second copy of the weights.

use std::io::{BufWriter, Write};
use std::path::Path;

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use tempfile::NamedTempFile;

use super::Header;
use super::digest::seal;
use super::external::{External, save_external};
use super::proto::tensor;
use super::skeleton::Skeleton;
use super::unpacked::encode_tensor;
use crate::ir::{Constant, Graph};
use crate::{Error, Result};

/// Field numbers of `onnx.proto`.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_RAW_DATA: u32 = 9;
/// What protobuf can hold in one message.
const LIMIT: u64 = i32::MAX as u64;

/// The bytes of the file, with its digest in the metadata.
pub(crate) fn to_bytes(graph: &Graph, header: &Header) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(graph, &seal(graph, header, None)?, None, &mut bytes)?.map_err(in_memory)?;
    Ok(bytes)
}

/// Writes the file beside its place, then moves it there. Weights that one file cannot hold go to a second one.
pub(crate) fn save(graph: &Graph, header: &Header, path: &Path) -> Result<()> {
    match seal(graph, header, None) {
        Ok(header) => persist(stage(graph, &header, None, path)?, path),
        Err(Error::TooLarge { .. }) => save_external(graph, header, path),
        Err(error) => Err(error),
    }
}

/// Writes the file under a name of its own in the folder where it shall be.
pub(super) fn stage(graph: &Graph, header: &Header, external: Option<&External>, path: &Path) -> Result<NamedTempFile> {
    write_beside(path, |writer| encode(graph, header, external, writer))
}

/// Lets a writer fill a file that vanishes unless it is moved to its place.
pub(super) fn write_beside(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut std::fs::File>) -> Result<std::io::Result<()>>,
) -> Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| io("writing", path, source);
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        // A rename would put a file in the place of a device or a pipe.
        return Err(failed(std::io::Error::other("it is there and is no ordinary file; name another one")));
    }
    let mut file = beginning().tempfile_in(folder).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    fill(&mut writer)?.and_then(|()| writer.flush()).map_err(failed)?;
    drop(writer);
    file.as_file().sync_all().map_err(failed)?;
    Ok(file)
}

/// Moves a file to its place.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.persist(path).map_err(|error| io("writing", path, error.error))?;
    Ok(())
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { action, path: path.to_path_buf(), source }
}

/// What no one expects: a writer in memory that fails.
pub(super) fn in_memory(source: std::io::Error) -> Error {
    io("encoding", Path::new("memory"), source)
}

/// A temporary file is private; the model is as open as every other file of the user.
fn beginning() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".export-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Writes the model: everything else first, then its initialisers one by one.
pub(super) fn encode(
    graph: &Graph,
    header: &Header,
    external: Option<&External>,
    out: &mut impl Write,
) -> Result<std::io::Result<()>> {
    let skeleton = Skeleton::of(graph, header)?;
    let initializers: Vec<Initializer<'_>> = skeleton
        .initializers
        .iter()
        .filter_map(|(name, id)| graph.constant(*id).map(|constant| Initializer::new(name, constant, external)))
        .collect();
    let body = skeleton.graph.len() as u64 + initializers.iter().map(Initializer::length).sum::<u64>();
    let mut start = skeleton.model;
    if start.len() as u64 + body + 16 > LIMIT {
        return Err(Error::TooLarge { bytes: start.len() as u64 + body });
    }
    encode_key(MODEL_GRAPH, WireType::LengthDelimited, &mut start);
    encode_varint(body, &mut start);
    start.extend_from_slice(&skeleton.graph);
    let written = out.write_all(&start);
    Ok(initializers.iter().fold(written, |written, initializer| written.and_then(|()| initializer.write(out))))
}

/// An initialiser: its message without its numbers, and these, unless they lie in another file.
struct Initializer<'g> {
    message: Vec<u8>,
    numbers: &'g [u8],
}

impl<'g> Initializer<'g> {
    fn new(name: &str, constant: &'g Constant, external: Option<&External>) -> Self {
        let mut proto = tensor(name, constant);
        let numbers: &[u8] = match external.is_some_and(|external| external.place(&mut proto, name)) {
            true => &[],
            false => constant.bytes(),
        };
        let mut message = encode_tensor(proto);
        if !numbers.is_empty() {
            encode_key(TENSOR_RAW_DATA, WireType::LengthDelimited, &mut message);
            encode_varint(numbers.len() as u64, &mut message);
        }
        Self { message, numbers }
    }

    fn inner_length(&self) -> u64 {
        (self.message.len() + self.numbers.len()) as u64
    }

    fn length(&self) -> u64 {
        let inner = self.inner_length();
        key_len(GRAPH_INITIALIZER) as u64 + encoded_len_varint(inner) as u64 + inner
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut start = Vec::new();
        encode_key(GRAPH_INITIALIZER, WireType::LengthDelimited, &mut start);
        encode_varint(self.inner_length(), &mut start);
        start.extend_from_slice(&self.message);
        out.write_all(&start)?;
        out.write_all(self.numbers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::ir::{Attributes, Constant, ElementType, GraphOutput, Node, Value};
    use crate::shapes::Dim;
    use prost::Message;

    fn graph() -> Graph {
        let mut graph = Graph::default();
        let x = graph
            .push_value(Value { name: Some("x".into()), ..Value::computed(ElementType::F32, vec![Dim::Fixed(2)]) });
        let w = graph.push_value(Value::constant(Constant::f32(vec![2], &[1.0, 2.0]), Some("layer.weight".into())));
        let e = graph.push_value(Value::constant(Constant::f32(vec![0], &[]), Some("layer.empty".into())));
        let y = graph.push_value(Value::computed(ElementType::F32, vec![Dim::Fixed(2)]));
        let z = graph.push_value(Value::computed(ElementType::F32, vec![Dim::Fixed(2)]));
        graph.nodes.push(Node::new("Add", &[x, w], vec![y], Attributes::new(), "layer"));
        graph.nodes.push(Node::new("Concat", &[y, e], vec![z], crate::ir::attributes([("axis", (-1).into())]), ""));
        graph.inputs.push(x);
        graph.outputs.push(GraphOutput { name: "y".into(), value: z });
        graph
    }

    #[test]
    fn the_streamed_bytes_are_one_valid_message() {
        let header = Header { metadata: BTreeMap::from([("k".into(), "v".into())]), ..Header::default() };
        let bytes = to_bytes(&graph(), &header).unwrap();
        let model = tract_onnx::pb::ModelProto::decode(bytes.as_slice()).unwrap();
        let graph = model.graph.clone().unwrap();
        // A tensor of one axis: prost has a key, a length and the size, the file a key and the size.
        assert_eq!(model.encoded_len() - graph.initializer.len(), bytes.len(), "every byte is understood");
        let names: Vec<_> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["layer.weight", "layer.empty"]);
        assert_eq!(graph.node[0].name, "layer/Add");
        assert_eq!(model.metadata_props[0].value, "v");
    }

    #[test]
    fn the_digest_is_that_of_the_file_with_zeros_in_its_place() {
        let header = Header { name: "main".into(), ..Header::default() };
        let bytes = to_bytes(&graph(), &header).unwrap();
        let model = tract_onnx::pb::ModelProto::decode(bytes.as_slice()).unwrap();
        let [entry] = &model.metadata_props[..] else { panic!("{:?}", model.metadata_props) };
        assert_eq!(entry.key, "selfie.sha256");
        let place = bytes.windows(64).position(|window| window == entry.value.as_bytes()).unwrap();
        let mut zeroed = bytes.clone();
        zeroed[place..place + 64].fill(b'0');
        assert_eq!(format!("{:x}", Sha256::digest(&zeroed)), entry.value);

        let folder = tempfile::tempdir().unwrap();
        save(&graph(), &header, &folder.path().join("model.onnx")).unwrap();
        assert!(std::fs::read(folder.path().join("model.onnx")).unwrap() == bytes, "the saved file differs");
    }

    #[test]
    fn a_failed_save_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("taken");
        std::fs::create_dir(&place).unwrap();
        let header = Header { name: "main".into(), ..Header::default() };
        assert!(matches!(save(&graph(), &header, &place), Err(Error::Io { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
