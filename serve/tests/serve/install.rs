use super::client::assert_close;
use super::network::{Network, store};
use super::pictures::png;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::runtime::install::install_into;
use selfie_serve::runtime::{Device, Options};

#[test]
#[ignore = "downloads 28 MB and needs Python with pip"]
fn an_installed_library_runs_a_model() {
    let cache = tempfile::tempdir().unwrap();
    let library = install_into(cache.path(), false).unwrap();
    assert!(library.is_file() && library.with_file_name("LICENSE").is_file());
    assert_eq!(install_into(cache.path(), false).unwrap(), library, "a second time it is there already");
    let left: Vec<_> = std::fs::read_dir(cache.path().join("onnxruntime")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the library is left: {left:?}");
    let store = store(&[("net", Network::default())]);
    let run = |runtime: &str| {
        let onnxruntime = Some(library.clone());
        let runtime =
            Options { runtime: runtime.into(), device: Device::Cpu, threads: 1, onnxruntime, ..Options::default() };
        let model = open(store.path(), &OpenOptions { runtime, ..OpenOptions::default() }).unwrap();
        model.infer(&[png(1)]).unwrap().remove(0).outputs.concat()
    };
    assert_close(&run("onnxruntime"), &run("tract"), "the installed library");
}
