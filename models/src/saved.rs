//! A network in a folder: `network.json`, `weights.safetensors` and `card.json`.
//!
//! Weights have PyTorch's names and layout (`bn1.weight`, linear weights as `[outputs, inputs]`), so that PyTorch reads
//! the file and this crate reads PyTorch's.

use crate::foreign::few;
use crate::network::{Network, NetworkConfig};
use crate::{Card, Error};
use burn::module::Module;
use burn::tensor::Device;
use burn_store::{BurnToPyTorchAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use std::io::Write;
use std::path::Path;

/// Name of the file that holds a [`NetworkConfig`].
pub const NETWORK_FILE: &str = "network.json";
/// Name of the file that holds the weights.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// Name of the file that holds the [`Card`].
pub const CARD_FILE: &str = "card.json";

/// A network read from a folder.
#[derive(Clone, Debug)]
pub struct Saved {
    /// What the network expects and gives.
    pub card: Card,
    /// Its configuration.
    pub config: NetworkConfig,
    /// The network with its weights.
    pub network: Network,
}

/// Writes a network to a folder, each file beside and renamed, the card last.
///
/// # Errors
/// [`Error::Io`] or [`Error::Damaged`] names the file.
pub fn save(folder: &Path, card: &Card, config: &NetworkConfig, network: &Network) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(io("cannot make the folder", folder))?;
    let json = serde_json::to_string_pretty(config)
        .map_err(|error| Error::Damaged { path: folder.join(NETWORK_FILE), reason: error.to_string() })?;
    write_atomically(&folder.join(NETWORK_FILE), json.as_bytes())?;
    let weights = folder.join(WEIGHTS_FILE);
    match network {
        Network::Selfie(selfie) => save_weights(selfie, &weights)?,
        Network::Classifier(classifier) => save_weights(classifier, &weights)?,
    }
    write_atomically(&folder.join(CARD_FILE), card.to_json()?.as_bytes())
}

/// Reads a network from a folder.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`], [`Error::Config`] or [`Error::Weights`] names the file and what is wrong with it.
pub fn load(folder: &Path, device: &Device) -> Result<Saved, Error> {
    let path = folder.join(NETWORK_FILE);
    let config: NetworkConfig = serde_json::from_str(&read(&path)?)
        .map_err(|error| Error::Damaged { path: path.clone(), reason: error.to_string() })?;
    config.check()?;
    let path = folder.join(CARD_FILE);
    let card = Card::from_json(&read(&path)?)
        .map_err(|error| Error::Damaged { path: path.clone(), reason: error.to_string() })?;
    let weights = folder.join(WEIGHTS_FILE);
    let network = match config.init(0, device) {
        Network::Selfie(selfie) => Network::Selfie(load_weights(selfie, &weights)?),
        Network::Classifier(classifier) => Network::Classifier(load_weights(classifier, &weights)?),
    };
    Ok(Saved { card, config, network })
}

/// Writes the weights of a module, beside and renamed. The bytes depend on names and values alone.
///
/// # Errors
/// [`Error::Damaged`] names the file.
pub fn save_weights<M: Module>(module: &M, path: &Path) -> Result<(), Error> {
    let mut store = SafetensorsStore::from_file(path)
        .with_to_adapter(BurnToPyTorchAdapter)
        .clear_metadata()
        .metadata("format", "pt")
        .overwrite(true);
    module
        .save_into(&mut store)
        .map_err(|error| Error::Damaged { path: path.to_owned(), reason: format!("cannot write the weights: {error}") })
}

/// Gives a module the weights of a file. Every weight must be there, and none may be left over.
///
/// # Errors
/// [`Error::Io`] when the file is missing, [`Error::Weights`] with the names that do not fit.
pub fn load_weights<M: Module>(mut module: M, path: &Path) -> Result<M, Error> {
    if !path.is_file() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Error::Io { action: "cannot read", path: path.to_owned(), source });
    }
    let mut store =
        SafetensorsStore::from_file(path).with_from_adapter(PyTorchToBurnAdapter).validate(false).allow_partial(true);
    let wrong = |reason: String| Error::Weights { path: path.to_owned(), reason };
    let result = module.load_from(&mut store).map_err(|error| wrong(error.to_string()))?;
    let missing = few(result.missing.iter().map(|(name, _)| name));
    for (what, names) in
        [("wrong", few(&result.errors)), ("missing in the file", missing), ("not in the network", few(&result.unused))]
    {
        if !names.is_empty() {
            return Err(wrong(format!("{what}: {names}")));
        }
    }
    Ok(module)
}

/// Writes a file beside its place and renames it, so that a reader never sees half of it.
///
/// # Errors
/// [`Error::Io`] names the file.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".writing-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(io("cannot write", path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io("cannot write", path))?;
    file.persist(path).map_err(|error| Error::Io {
        action: "cannot write",
        path: path.to_owned(),
        source: error.error,
    })?;
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(io("cannot read", path))
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
