//! Rankings, judgements, predictions and no-answer scores as files, so that trec_eval, ir-measures and the
//! scripts of SQuAD can check the report.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::judged::JudgedSet;
use super::read::GoldReading;
use super::report::no_answer_scores;
use super::retrieve::{Answered, StageRun};

/// Name of answers read from the paragraph a question is about.
pub(super) const GOLD: &str = "gold paragraph";
/// Name of answers read from whatever was retrieved.
pub(super) const OPEN: &str = "all paragraphs";

/// Writes `SET.STAGE.run` and `SET.qrels`, and for SQuAD `SET.gold.predictions.json`, `SET.gold.na_prob.json`
/// and the same with `open`.
pub(super) fn write(
    folder: &Path,
    set: &JudgedSet,
    runs: &[StageRun],
    gold: Option<&GoldReading>,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let save = |name: &str, fill: &dyn Fn(&mut BufWriter<File>) -> io::Result<()>| {
        let path = folder.join(format!("{}.{name}", set.name));
        let written = File::create(&path).and_then(|file| {
            let mut out = BufWriter::new(file);
            fill(&mut out)?;
            out.flush()
        });
        written.with_context(|| format!("cannot write {}", path.display()))
    };
    save("qrels", &|out| set.qrels.write(out))?;
    for run in runs {
        let tag = format!("alder-{}", run.stage.name());
        save(&format!("{}.run", run.stage.name()), &|out| run.run.write(out, &tag))?;
    }
    let open = runs.iter().map(|run| ("open", &run.answers));
    for (name, answers) in open.chain(gold.map(|g| ("gold", &g.answers))) {
        if set.squad.is_none() || answers.is_empty() {
            continue;
        }
        save(&format!("{name}.predictions.json"), &|out| {
            let texts = |a: &Answered| (a.question.clone(), a.text.clone());
            write_json(out, &answers.iter().map(texts).collect::<BTreeMap<_, _>>())
        })?;
        save(&format!("{name}.na_prob.json"), &|out| {
            write_json(out, &no_answer_scores(answers).into_iter().collect::<BTreeMap<_, _>>())
        })?;
    }
    Ok(())
}

fn write_json(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alder_datasets::{Run, load_no_answer_scores, load_predictions};

    use super::*;
    use crate::eval::EvalStage;

    #[test]
    fn what_is_written_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        let squad = r#"{"data":[{"paragraphs":[{"context":"An elm.","qas":[
            {"id":"a","question":"What?","answers":[{"text":"elm","answer_start":3}]}]}]}]}"#;
        std::fs::write(&path, squad).unwrap();
        let set = JudgedSet::load(&path, "test").unwrap();
        let mut run = Run::default();
        run.insert("a", vec![("p1".into(), 1.0)]);
        let answer = Answered {
            question: "a".into(),
            text: "elm".into(),
            probability: 0.75,
            shown_from: 0.5,
        };
        let stage = StageRun {
            stage: EvalStage::Reranked,
            run: run.clone(),
            times: vec![Duration::from_millis(1)],
            engine: BTreeMap::new(),
            answers: vec![answer],
        };
        let out = folder.path().join("runs");
        write(&out, &set, &[stage], None).unwrap();
        assert_eq!(Run::load(&out.join("dev.reranked.run")).unwrap(), run);
        assert_eq!(load_predictions(&out.join("dev.open.predictions.json")).unwrap()["a"], "elm");
        let scores = load_no_answer_scores(&out.join("dev.open.na_prob.json")).unwrap();
        assert_eq!(scores, [("a".to_owned(), 0.25)]);
        assert_eq!(alder_datasets::Qrels::load(&out.join("dev.qrels")).unwrap(), set.qrels);
    }
}
