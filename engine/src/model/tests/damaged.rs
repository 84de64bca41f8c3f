//! Packages that are not what they should be: each fails with the file, the fault and a remedy, none panics.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use safetensors::SafeTensors;

use super::super::package::sha256;
use super::parity::checkpoint;
use super::{Device, Model};

/// The message with which `folder` does not open.
fn refusal(folder: &Path) -> String {
    Model::open(folder, Device::Cpu).map(|m| m.identity().name.clone()).unwrap_err().to_string()
}

/// Checkpoint `name` with `from` replaced by `to` in its configuration.
fn with_config(name: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = checkpoint(name);
    let path = folder.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    assert!(config.contains(from));
    fs::write(path, config.replace(from, to)).unwrap();
    folder
}

/// Checkpoint "question-answering" as a package with `manifest`, in which `SHA256` stands for the right hashes.
fn package(manifest: &str) -> tempfile::TempDir {
    let folder = checkpoint("question-answering");
    let weights = fs::read(folder.path().join("model.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&weights).unwrap();
    let head = ["qa_outputs.weight", "qa_outputs.bias"].map(|n| (n, weights.tensor(n).unwrap()));
    let head = safetensors::serialize(head, None).unwrap();
    fs::write(folder.path().join("reader.safetensors"), head).unwrap();
    let hashes: Vec<String> =
        ["config.json", "tokenizer.json", "model.safetensors", "reader.safetensors"]
            .map(|f| format!("{f:?}: {:?}", sha256(&fs::read(folder.path().join(f)).unwrap())))
            .into();
    let manifest = manifest.replace("SHA256", &format!("{{{}}}", hashes.join(", ")));
    fs::write(folder.path().join("alder.json"), manifest).unwrap();
    folder
}

const MANIFEST: &str = r#"{"name": "tiny", "version": "1", "format": 1, "max_length": 64, "pooling": "mean",
    "encoder": {"weights": "model.safetensors"}, "reader": {"weights": "reader.safetensors"},
    "heads": ["embedding", "span"], "sha256": SHA256}"#;

#[test]
fn a_reader_of_heads_alone_reads_with_the_trunk_of_the_encoder() {
    let whole = Model::open(checkpoint("question-answering").path(), Device::Cpu).unwrap();
    let split = Model::open(package(MANIFEST).path(), Device::Cpu).unwrap();
    assert_eq!(split.identity().name, "tiny");
    let read = |model: &Model| model.read("who built the mill?", &["anna built it"]).unwrap();
    assert_eq!(read(&whole), read(&split));
    assert_eq!(whole.identity().fingerprint, split.identity().fingerprint);
    let other = package(&MANIFEST.replace("\"max_length\": 64", "\"max_length\": 32"));
    let other = Model::open(other.path(), Device::Cpu).unwrap();
    assert_ne!(other.identity().fingerprint, split.identity().fingerprint);
}

/// `name` of `folder` as a gzip file beside nothing of that name.
fn pack(folder: &Path, name: &str) -> PathBuf {
    let content = fs::read(folder.join(name)).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&content).unwrap();
    let packed = folder.join(format!("{name}.gz"));
    fs::write(&packed, packer.finish().unwrap()).unwrap();
    fs::remove_file(folder.join(name)).unwrap();
    packed
}

#[test]
fn packed_files_are_read_as_what_they_hold() {
    let plain = Model::open(package(MANIFEST).path(), Device::Cpu).unwrap();
    let folder = package(MANIFEST);
    pack(folder.path(), "tokenizer.json");
    let weights = pack(folder.path(), "model.safetensors");
    let packed = Model::open(folder.path(), Device::Cpu).unwrap();
    assert_eq!(plain.identity().fingerprint, packed.identity().fingerprint);

    let content = fs::read(&weights).unwrap();
    fs::write(&weights, &content[..content.len() / 2]).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("model.safetensors.gz") && error.contains("gzip"), "{error}");

    fs::write(&weights, vec![0; 8 << 20]).unwrap();
    let zeros = pack(folder.path(), "model.safetensors.gz");
    fs::rename(zeros, &weights).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("when unpacked"), "{error}");
}

#[test]
fn a_manifest_that_cannot_be_names_the_field() {
    for (from, to, named) in [
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("\"max_length\": 64", "\"max_length\": 65", "max_length in 16..=64"),
        ("\"mean\"", "\"maximum\"", "maximum"),
        ("\"span\"", "\"spam\"", "spam"),
        ("\"span\"", "\"mlm\"", "predictions.dense.weight"),
        ("{\"weights\": \"reader.safetensors\"}", "{\"weights\": \"../r\"}", "../r"),
        ("{\"weights\": \"reader.safetensors\"}", "{\"weights\": \"r\"}", "not found"),
        ("SHA256}", "{}}", "sha256 of config.json"),
        (
            "\"heads\"",
            "\"calibration\": {\"null_bias\": 0, \"temperature\": 0}, \"heads\"",
            "temperature",
        ),
    ] {
        assert!(MANIFEST.contains(from));
        let error = refusal(package(&MANIFEST.replace(from, to)).path());
        assert!(error.contains(named), "{named}: {error}");
    }
    let changed = package(MANIFEST);
    let path = changed.path().join("model.safetensors");
    let mut weights = fs::read(&path).unwrap();
    *weights.last_mut().unwrap() ^= 1;
    fs::write(path, weights).unwrap();
    let error = refusal(changed.path());
    assert!(error.contains("model.safetensors") && error.contains("sha256"), "{error}");
}

#[test]
fn tensors_that_do_not_fit_the_configuration_are_named_with_both_shapes() {
    let error =
        refusal(with_config("bare", "\"embedding_size\": 8", "\"embedding_size\": 9").path());
    for part in ["model.safetensors", "embeddings.word_embeddings.weight", "[43, 9]", "[43, 8]"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let groups = ("\"num_hidden_groups\": 1", "\"num_hidden_groups\": 2");
    for name in ["bare", "pickle"] {
        let error = refusal(with_config(name, groups.0, groups.1).path());
        assert!(error.contains("albert_layer_groups.1.albert_layers.0."), "{error}");
    }
    let error = refusal(with_config("bare", "\"vocab_size\": 43", "\"vocab_size\": 40").path());
    assert!(error.contains("tokenizer.json") && error.contains("at most 40 pieces"), "{error}");
}

#[test]
fn missing_and_foreign_files_are_named_with_a_remedy() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = checkpoint("bare");
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = refusal(folder.path());
        assert!(error.contains(&format!("{file}: ")) && error.contains("download"), "{error}");
        fs::write(folder.path().join(file), b"").unwrap();
        assert!(refusal(folder.path()).contains("empty file"));
    }
    assert!(refusal(Path::new("no/such/folder")).contains("model folder not found at no/such"));
    let folder = checkpoint("pickle");
    fs::write(folder.path().join("pytorch_model.bin"), b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P")
        .unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("older pickle") && error.contains("torch.load("), "{error}");
}

#[test]
fn a_folder_without_a_manifest_is_named_after_its_place() {
    let cache = tempfile::tempdir().unwrap();
    let snapshot = cache.path().join("models--org--tiny-albert/snapshots/0123abc");
    fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    fs::rename(checkpoint("bare").keep(), &snapshot).unwrap();
    let model = Model::open(&snapshot, Device::Cpu).unwrap();
    assert_eq!(model.identity().name, "org/tiny-albert");
    assert_eq!((model.max_length(), model.identity().dimensions), (64, 24));
    let plain = cache.path().join("mine");
    fs::rename(snapshot, &plain).unwrap();
    assert_eq!(Model::open(&plain, Device::Cpu).unwrap().identity().name, "mine");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_cuda_device_without_the_feature_says_how_to_build_it() {
    let error = Model::embedded(Device::Cuda(0)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("CUDA device 0") && error.contains("--features cuda"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_damaged_weight_file_never_panics(
        pickle: bool, at in 0.0f64..1.0, byte: u8, early: bool, cut: bool,
    ) {
        let (name, file) = match pickle {
            true => ("pickle", "pytorch_model.bin"),
            false => ("bare", "model.safetensors"),
        };
        let folder = checkpoint(name);
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let span = if early { 1500 } else { bytes.len() };
        let at = (at * span as f64) as usize;
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        fs::write(&path, bytes).unwrap();
        let opened = Model::open(folder.path(), Device::Cpu);
        prop_assert!(!cut || opened.is_err());
        if let Ok(model) = opened {
            let _ = model.encode(&["the river"]);
        }
    }
}
