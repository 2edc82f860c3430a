//! Encoding, one constant at a time, so that a save needs no second copy of the weights.

use std::io::{BufWriter, Write};
use std::path::Path;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::Header;
use super::digest::seal;
use super::node;
use super::proto::{skeleton, tensor};
use super::unpacked::encode_tensor;
use crate::ir::Graph;
use crate::{Error, Result};

/// Field numbers of `onnx.proto`.
const MODEL_GRAPH: u32 = 7;
const GRAPH_NODE: u32 = 1;
const GRAPH_INITIALIZER: u32 = 5;
/// What protobuf can hold in one message.
const LIMIT: u64 = i32::MAX as u64;

/// The bytes of the file, with its digest in the metadata.
pub(crate) fn to_bytes(graph: &Graph, header: &Header) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(graph, &seal(graph, header)?, &mut bytes)?.map_err(in_memory)?;
    Ok(bytes)
}

/// Writes the file beside its place, then moves it there.
pub(crate) fn save(graph: &Graph, header: &Header, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| io("writing", path, source);
    let header = seal(graph, header)?;
    let mut file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    encode(graph, &header, &mut writer)?.and_then(|()| writer.flush()).map_err(failed)?;
    drop(writer);
    file.as_file().sync_all().map_err(failed)?;
    readable_by_others(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { action, path: path.to_path_buf(), source }
}

/// What no one expects: a writer in memory that fails.
pub(super) fn in_memory(source: std::io::Error) -> Error {
    io("encoding", Path::new("memory"), source)
}

/// A temporary file is private; the model is not.
#[cfg(unix)]
fn readable_by_others(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Writes the model: the nodes of the graph first, its other fields, then its initialisers one by one.
pub(super) fn encode(graph: &Graph, header: &Header, out: &mut impl Write) -> Result<std::io::Result<()>> {
    let mut skeleton = skeleton(graph, header);
    let mut head = Vec::new();
    for node in skeleton.nodes.drain(..).map(node::encode) {
        encode_key(GRAPH_NODE, WireType::LengthDelimited, &mut head);
        encode_varint(node.len() as u64, &mut head);
        head.extend_from_slice(&node);
    }
    head.extend_from_slice(&skeleton.model.graph.take().unwrap_or_default().encode_to_vec());
    let constants = || skeleton.initializers.iter().filter_map(|(name, id)| graph.constant(*id).map(|c| (name, c)));
    let tensors: u64 = constants()
        .map(|(name, constant)| {
            let empty = encode_tensor(tensor(name, &constant.clone().without_bytes())).len() as u64;
            let bytes = constant.bytes().len() as u64;
            let raw = if bytes == 0 { 0 } else { 1 + encoded_len_varint(bytes) as u64 + bytes };
            let length = empty + raw;
            key_len(GRAPH_INITIALIZER) as u64 + encoded_len_varint(length) as u64 + length
        })
        .sum();
    let body = head.len() as u64 + tensors;
    let mut start = skeleton.model.encode_to_vec();
    if start.len() as u64 + body + 16 > LIMIT {
        return Err(Error::TooLarge { bytes: start.len() as u64 + body });
    }
    encode_key(MODEL_GRAPH, WireType::LengthDelimited, &mut start);
    encode_varint(body, &mut start);
    start.extend_from_slice(&head);
    let mut written = out.write_all(&start);
    for (name, constant) in constants() {
        if written.is_err() {
            break;
        }
        let message = encode_tensor(tensor(name, constant));
        let mut prefix = Vec::new();
        encode_key(GRAPH_INITIALIZER, WireType::LengthDelimited, &mut prefix);
        encode_varint(message.len() as u64, &mut prefix);
        written = out.write_all(&prefix).and_then(|()| out.write_all(&message));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::ir::{Attributes, Constant, ElementType, GraphOutput, Node, Value};
    use crate::shapes::Dim;

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
        let header =
            Header { name: "main".into(), doc: String::new(), metadata: BTreeMap::from([("k".into(), "v".into())]) };
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
        let header = Header { name: "main".into(), doc: String::new(), metadata: BTreeMap::new() };
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
        let header = Header { name: "main".into(), doc: String::new(), metadata: BTreeMap::new() };
        assert!(matches!(save(&graph(), &header, &place), Err(Error::Io { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
