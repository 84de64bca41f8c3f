//! A [`Report`] as tables for the terminal, as Markdown, or as JSON; as a page by [`html`].

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::report::{AnswerReport, MAIN_MEASURE, MEASURES, Report, SetReport};
use super::{EvalStage, Format, html};
use crate::tune::described;

/// Writes the report to `out`.
pub(super) fn write(report: &Report, format: Format, out: &mut impl Write) -> io::Result<()> {
    if format == Format::Html {
        return html::write(report, out);
    }
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, report)?;
        return writeln!(out);
    }
    let code = if format == Format::Markdown { "`" } else { "" };
    writeln!(out, "{code}{}{code}", report.command)?;
    writeln!(out)?;
    writeln!(out, "Model {}, fingerprint {}", report.model.name, report.model.fingerprint)?;
    let mut tables = vec![rankings(report)];
    if report.sets.iter().any(|s| !s.answers.is_empty()) {
        tables.push(answers(report));
    }
    for mut table in tables {
        let preset = if format == Format::Markdown {
            presets::ASCII_MARKDOWN
        } else {
            presets::UTF8_FULL_CONDENSED
        };
        table.load_style(preset);
        writeln!(out, "\n{table}")?;
    }
    writeln!(out)?;
    for set in &report.sets {
        for line in notes(set) {
            writeln!(out, "- {line}")?;
        }
    }
    Ok(())
}

fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.set_header(header);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn rankings(report: &Report) -> Table {
    let mut header = vec!["set".to_owned(), "stage".to_owned()];
    header.extend(MEASURES.map(str::to_owned));
    header.extend(["p50 ms".to_owned(), "p99 ms".to_owned()]);
    let mut table = table(header);
    for set in &report.sets {
        for ranking in &set.rankings {
            let mut row = vec![set.name.clone(), ranking.stage.name().to_owned()];
            row.extend(MEASURES.map(|name| format!("{:.4}", ranking.measures[name])));
            row.push(format!("{:.1}", ranking.time.p50_ms));
            row.push(format!("{:.1}", ranking.time.p99_ms));
            table.add_row(row);
        }
    }
    table
}

const ANSWER_COLUMNS: [&str; 14] = [
    "set",
    "answers from",
    "EM",
    "F1",
    "EM declining",
    "F1 declining",
    "HasAns F1",
    "NoAns",
    "best F1",
    "at",
    "ECE",
    "80 % right",
    "p50 ms",
    "p99 ms",
];

fn answers(report: &Report) -> Table {
    let mut table = table(ANSWER_COLUMNS.map(str::to_owned).into());
    for set in &report.sets {
        for answer in &set.answers {
            table.add_row(answer_row(&set.name, answer));
        }
    }
    table
}

fn answer_row(set: &str, answer: &AnswerReport) -> Vec<String> {
    let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}"));
    let fraction = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
    let declining = answer.declining;
    let best = declining.and_then(|d| d.best);
    vec![
        set.to_owned(),
        answer.from.to_owned(),
        percent(Some(answer.always.exact)),
        percent(Some(answer.always.f1)),
        percent(declining.map(|d| d.all.exact)),
        percent(declining.map(|d| d.all.f1)),
        percent(declining.map(|d| d.has_answer.f1)),
        percent(declining.map(|d| d.no_answer.f1)),
        percent(best.map(|b| b.f1)),
        fraction(best.map(|b| b.f1_threshold)),
        fraction(answer.calibration_error),
        fraction(Some(answer.coverage)),
        format!("{:.1}", answer.time.p50_ms),
        format!("{:.1}", answer.time.p99_ms),
    ]
}

/// What the tables leave out: sizes, the sample, and whether differences are more than chance.
fn notes(set: &SetReport) -> Vec<String> {
    let mut lines = Vec::new();
    let sample = match set.queries < set.of_queries {
        true => format!(" (a random sample of {})", set.of_queries),
        false => String::new(),
    };
    let indexed = match set.indexed {
        0 => "found in the cache".to_owned(),
        n => format!("{n} documents indexed in {:.1} s", set.index_seconds),
    };
    lines.push(format!(
        "{}: {} documents, {} passages, {} queries{sample}; {indexed}",
        set.name, set.documents, set.passages, set.queries
    ));
    if let Some(tuned) = &set.tuned {
        let kept = if tuned.is_better() { "kept" } else { "not kept" };
        lines.push(format!(
            "{}: tuned by {} queries made from it: {}; on {} others nDCG@10 {:.4} became {:.4}, p = {:.4}: {kept}",
            set.name,
            tuned.chosen_by,
            described(tuned.to),
            tuned.tested_on,
            tuned.before,
            tuned.after,
            tuned.p
        ));
    }
    for ranking in &set.rankings {
        let i = ranking.interval;
        let mut line = format!(
            "{} {}: {MAIN_MEASURE} {:.4} [{:.4}, {:.4}]",
            set.name,
            ranking.stage.name(),
            i.mean,
            i.low,
            i.high
        );
        if let Some(d) = &ranking.difference {
            let (against, i) = (d.against.name(), d.interval);
            line += &format!(
                "; against {against} {:+.4} [{:+.4}, {:+.4}], p = {:.4}",
                i.mean, i.low, i.high, d.p
            );
        }
        lines.push(line);
    }
    lines.extend(stages_that_do_not_pay(set));
    lines
}

/// Stages whose ranking is worse than what they were made from.
fn stages_that_do_not_pay(set: &SetReport) -> Vec<String> {
    let of = |stage: EvalStage| {
        let found = set.rankings.iter().find(|ranking| ranking.stage == stage)?;
        Some((stage, found.interval.mean))
    };
    let legs = [of(EvalStage::Bm25), of(EvalStage::Dense)].into_iter().flatten();
    let best_leg = legs.max_by(|a, b| a.1.total_cmp(&b.1));
    let pairs = [(of(EvalStage::Fused), best_leg), (of(EvalStage::Reranked), of(EvalStage::Fused))];
    let losing = |((stage, mean), (below, base)): ((EvalStage, f64), (EvalStage, f64))| {
        (mean < base).then(|| {
            format!(
                "{}: {} does not pay here, {MAIN_MEASURE} {:+.4} against {}; `alder tune` weighs it anew",
                set.name,
                stage.name(),
                mean - base,
                below.name()
            )
        })
    };
    pairs.into_iter().filter_map(|(stage, below)| losing((stage?, below?))).collect()
}

#[cfg(test)]
mod tests {
    use alder_datasets::{Interval, RiskPoint, SpanScores};
    use alder_engine::ModelIdentity;

    use super::*;
    use crate::eval::report::{Difference, RankingReport, Times};

    fn report() -> Report {
        let time = Times { p50_ms: 1.25, p99_ms: 9.0 };
        let interval = Interval { mean: 0.5, low: 0.4, high: 0.6 };
        let ranking = |stage, difference| RankingReport {
            stage,
            measures: MEASURES.map(|name| (name, 0.5)).into(),
            interval,
            difference,
            time,
            engine: Vec::new(),
        };
        let difference = Difference { against: EvalStage::Bm25, interval, p: 0.03 };
        let set = SetReport {
            name: "toy".into(),
            documents: 3,
            passages: 4,
            queries: 2,
            of_queries: 9,
            indexed: 3,
            tuned: None,
            index_seconds: 0.5,
            rankings: vec![
                ranking(EvalStage::Bm25, None),
                ranking(EvalStage::Fused, Some(difference)),
            ],
            answers: vec![AnswerReport {
                from: "gold paragraph",
                always: SpanScores { exact: 61.5, f1: 70.25, questions: 2 },
                declining: None,
                calibration_error: Some(0.125),
                coverage: 0.4,
                risk_coverage: Vec::new(),
                time,
            }],
        };
        let model = ModelIdentity { name: "m".into(), fingerprint: "f00".into(), dimensions: 4 };
        Report { command: "alder eval toy".into(), model, sets: vec![set] }
    }

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        write(&report(), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markdown_has_one_row_per_set_and_stage_and_says_how_it_was_made() {
        let text = written(Format::Markdown);
        assert!(text.starts_with("`alder eval toy`\n"), "{text}");
        assert!(text.contains("Model m, fingerprint f00"), "{text}");
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|l| l.starts_with('|'))
            .map(|l| l.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        assert_eq!(rows[0][..3], ["set", "stage", "nDCG@10"]);
        assert!(rows[1].iter().all(|c| c.chars().all(|c| "-:".contains(c))), "{text}");
        assert_eq!(
            rows[3],
            ["toy", "fused", "0.5000", "0.5000", "0.5000", "0.5000", "0.5000", "1.2", "9.0"]
        );
        assert_eq!(rows[6][..5], ["toy", "gold paragraph", "61.50", "70.25", "–"]);
        assert!(text.contains("2 queries (a random sample of 9)"), "{text}");
        assert!(text.contains("against bm25 +0.5000 [+0.4000, +0.6000], p = 0.0300"), "{text}");
    }

    #[test]
    fn the_page_has_the_tables_and_a_picture_of_each_kind() {
        let mut report = report();
        report.command = "alder eval '<a>'".into();
        report.sets[0].answers[0].risk_coverage =
            vec![RiskPoint { confidence: 0.9, coverage: 0.5, risk: 0.0 }];
        let mut out = Vec::new();
        write(&report, Format::Html, &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert_eq!(page.matches("<svg").count(), 3, "{page}");
        assert!(page.contains("<td>fused<td>0.5000") && page.contains("&lt;a&gt;"), "{page}");
        assert!(page.contains("points=\"221.0,170.0\""), "half given, none wrong: {page}");
    }

    #[test]
    fn json_has_every_number() {
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(json["sets"][0]["rankings"][1]["stage"], "fused");
        assert_eq!(json["sets"][0]["rankings"][1]["difference"]["p"], 0.03);
        assert_eq!(json["sets"][0]["answers"][0]["always"]["f1"], 70.25);
        assert_eq!(json["model"]["fingerprint"], "f00");
    }
}
