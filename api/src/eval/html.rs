//! A [`Report`] as one HTML page that needs nothing else: the tables, and pictures of what they cannot show.

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use super::report::{AnswerReport, MAIN_MEASURE, MEASURES, RankingReport, Report, SetReport};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}h1,h2{line-height:1.2}table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}\
th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}th:first-child,td:first-child{text-align:left}\
figure{display:inline-block;margin:0 1.5rem 1rem 0}figcaption{color:#555}code{overflow-wrap:anywhere}\
text{font:12px system-ui,sans-serif;fill:currentColor}.line{fill:none;stroke-width:2}.axis{stroke:#999}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}th,td{border-color:#444}figcaption{color:#aaa}}";

/// One colour for each line of a picture; they differ in brightness as well.
const COLOURS: [&str; 4] = ["#1b7f5c", "#c2571a", "#5b6fd6", "#9a9a2e"];
/// Width and height of a picture, and its margins left and at the bottom.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 90.0;
const BOTTOM: f64 = 30.0;

/// Writes the page to `out`.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Alder evaluation</title><style>{STYLE}</style><h1>Alder evaluation</h1>\
         <p><code>{}</code><p>Model {}, fingerprint <code>{}</code>",
        Escaped(&report.command),
        Escaped(&report.model.name),
        Escaped(&report.model.fingerprint)
    )?;
    for set in &report.sets {
        writeln!(out, "{}", set_page(set).expect("a String takes everything"))?;
    }
    writeln!(out, "</html>")
}

fn set_page(set: &SetReport) -> Result<String, fmt::Error> {
    let mut page = String::new();
    write!(
        page,
        "<h2>{}</h2><p>{} documents, {} passages, {} of {} queries",
        Escaped(&set.name),
        set.documents,
        set.passages,
        set.queries,
        set.of_queries
    )?;
    rankings_table(set, &mut page)?;
    figure(
        &mut page,
        &format!("{MAIN_MEASURE} with its 95 % interval"),
        &intervals(&set.rankings)?,
    )?;
    figure(&mut page, "milliseconds a query: median, 99th percentile", &times(&set.rankings)?)?;
    if !set.answers.is_empty() {
        answers_table(set, &mut page)?;
        let caption = "wrong answers when only the most confident are given, by share given";
        figure(&mut page, caption, &risks(&set.answers)?)?;
    }
    Ok(page)
}

fn figure(page: &mut String, caption: &str, drawing: &str) -> fmt::Result {
    write!(
        page,
        "<figure><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{caption}\">{drawing}</svg><figcaption>{caption}</figcaption></figure>"
    )
}

fn rankings_table(set: &SetReport, page: &mut String) -> fmt::Result {
    write!(page, "<table><tr><th>stage")?;
    for name in MEASURES {
        write!(page, "<th>{name}")?;
    }
    write!(page, "<th>difference<th>p<th>p50 ms<th>p99 ms")?;
    for ranking in &set.rankings {
        write!(page, "<tr><td>{}", ranking.stage.name())?;
        for name in MEASURES {
            write!(page, "<td>{:.4}", ranking.measures[name])?;
        }
        match &ranking.difference {
            Some(d) => write!(page, "<td>{:+.4}<td>{:.4}", d.interval.mean, d.p)?,
            None => write!(page, "<td><td>")?,
        }
        write!(page, "<td>{:.1}<td>{:.1}", ranking.time.p50_ms, ranking.time.p99_ms)?;
    }
    write!(page, "</table>")
}

fn answers_table(set: &SetReport, page: &mut String) -> fmt::Result {
    write!(
        page,
        "<table><tr><th>answers from<th>EM<th>F1<th>F1 declining<th>calibration error<th>given while 80 % are right"
    )?;
    for answer in &set.answers {
        let (always, error) = (answer.always, answer.calibration_error);
        let declining = answer.declining.map_or(String::new(), |d| format!("{:.2}", d.all.f1));
        let error = error.map_or(String::new(), |e| format!("{e:.3}"));
        write!(
            page,
            "<tr><td>{}<td>{:.2}<td>{:.2}<td>{declining}<td>{error}<td>{:.0} %",
            answer.from,
            always.exact,
            always.f1,
            100.0 * answer.coverage
        )?;
    }
    write!(page, "</table>")
}

/// A dot and a whisker for each stage, on 0..=1.
fn intervals(rankings: &[RankingReport]) -> Result<String, fmt::Error> {
    let mut out = axis(["0", "0.5", "1"])?;
    for (row, ranking) in rankings.iter().enumerate() {
        let (y, i) = (row_at(row, rankings.len()), ranking.interval);
        write!(
            out,
            "<text x=\"0\" y=\"{:.1}\">{}</text><line class=\"line\" stroke=\"{}\" x1=\"{:.1}\" x2=\"{:.1}\" \
             y1=\"{y:.1}\" y2=\"{y:.1}\"/><circle r=\"4\" fill=\"{1}\" cx=\"{:.1}\" cy=\"{y:.1}\"/>",
            y + 4.0,
            ranking.stage.name(),
            COLOURS[0],
            across(i.low),
            across(i.high),
            across(i.mean)
        )?;
    }
    Ok(out)
}

/// Two bars for each stage.
fn times(rankings: &[RankingReport]) -> Result<String, fmt::Error> {
    let most = rankings.iter().map(|r| r.time.p99_ms).fold(f64::MIN_POSITIVE, f64::max);
    let mut out = axis(["0", &format!("{:.1}", most / 2.0), &format!("{most:.1}")])?;
    for (row, ranking) in rankings.iter().enumerate() {
        let y = row_at(row, rankings.len());
        write!(out, "<text x=\"0\" y=\"{:.1}\">{}</text>", y + 4.0, ranking.stage.name())?;
        for (time, up, colour) in
            [(ranking.time.p50_ms, 9.0, COLOURS[0]), (ranking.time.p99_ms, 0.0, COLOURS[1])]
        {
            write!(
                out,
                "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"8\" fill=\"{colour}\"/>",
                y - up,
                across(time / most) - LEFT
            )?;
        }
    }
    Ok(out)
}

/// A line of (coverage, risk) for each source of answers.
fn risks(answers: &[AnswerReport]) -> Result<String, fmt::Error> {
    let mut out = axis(["0 %", "50 %", "100 %"])?;
    let floor = HEIGHT - BOTTOM;
    write!(out, "<text x=\"0\" y=\"12\">all wrong</text><text x=\"0\" y=\"{floor}\">none</text>")?;
    for ((answer, colour), row) in answers.iter().zip(COLOURS).zip(0..) {
        let points: Vec<String> = answer
            .risk_coverage
            .iter()
            .map(|p| format!("{:.1},{:.1}", across(p.coverage), floor * (1.0 - p.risk)))
            .collect();
        write!(
            out,
            "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>\
             <text x=\"{LEFT}\" y=\"{}\" style=\"fill:{colour}\">{}</text>",
            points.join(" "),
            14 + 16 * row,
            answer.from
        )?;
    }
    Ok(out)
}

/// The line at the bottom with its labels at both ends and in the middle.
fn axis(labels: [&str; 3]) -> Result<String, fmt::Error> {
    let floor = HEIGHT - BOTTOM;
    let mut out = format!(
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{floor}\" y2=\"{floor}\"/>"
    );
    for (label, (at, anchor)) in
        labels.into_iter().zip([(0.0, "start"), (0.5, "middle"), (1.0, "end")])
    {
        write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>",
            across(at),
            floor + 18.0
        )?;
    }
    Ok(out)
}

/// Where a share of the width lies.
fn across(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - 8.0)
}

/// Where row `row` of `rows` lies.
fn row_at(row: usize, rows: usize) -> f64 {
    (HEIGHT - BOTTOM) * (row as f64 + 0.5) / rows.max(1) as f64
}

/// Text between tags.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            c => f.write_char(c),
        })
    }
}
