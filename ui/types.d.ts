// The shapes of the interface that the page reads, for `tsc` alone; `api/src/wire` defines them.

export interface Asked { q: string; mode: "hybrid" | "lexical" | "dense"; offset: number; filter: string }
export interface Span { start_byte: number; end_byte: number }
export interface Range { start: number; end: number }
export interface Excerpt extends Range { text: string }
export type Freshness = "fresh" | "stale" | "gone";
export interface Source { document: string; title: string; span: Span }

export interface Answer extends Span, Range {
  text: string;
  document: string;
  title: string;
  heading_path: string[];
  page?: number;
  probability: number;
  confidence: string;
  sentence: Excerpt;
  passage: Excerpt;
  passage_span: Span;
  freshness?: Freshness;
  sources: Source[];
}

export interface Term { field: string; term: string; score: number }

export interface Hit {
  id: string;
  rank: number;
  score: number;
  document: string;
  title: string;
  heading_path: string[];
  page?: number;
  span: Span;
  text: string;
  highlights: Range[];
  freshness?: Freshness;
  explain?: {
    lexical: [number, number] | null;
    dense: [number, number] | null;
    terms: Term[];
    contributions: [string, number][];
    fused_rank: number;
    reading: { span_logit: number; null_logit: number; rerank_score: number } | null;
  };
}

export interface Facet {
  field: string;
  values: { value: string | number | boolean; count: number }[];
  other: number;
  missing: number;
}

export interface Suggestions {
  completions: { text: string; passages: number }[];
  titles: { title: string; document: string }[];
  did_you_mean?: string;
}

export interface Judgement { q: string; document: string; relevance?: number; right?: boolean; answer?: string }

export interface Reply {
  query: string;
  took_ms: number;
  timings: Record<string, number>;
  generation: number;
  candidates: number;
  total: number;
  total_is_complete: boolean;
  did_you_mean?: string;
  facets?: Facet[];
  verdict?: { confident: boolean; answerable: number; confidence: string };
  answers: Answer[];
  hits: Hit[];
  notes: string[];
}

export type Indexing =
  | { state: "idle" }
  | { state: "running"; documents: number; bytes_done: number; bytes_total: number; elapsed_ms: number }
  | { state: "done"; summary: string }
  | { state: "failed"; detail: string };

export interface Field { name: string; values: number; complete: boolean }

export interface Status {
  version: string;
  model: { name: string; fingerprint: string; dimensions: number; max_length: number; reader: boolean };
  collection: { generation: number; documents: number; passages: number; segments: number; graphs: number; bytes: number; fields: Field[] };
  indexing?: Indexing;
}

export interface Task {
  id: number;
  kind: "documents" | "files";
  status: "enqueued" | "processing" | "succeeded" | "failed" | "canceled";
  progress: number;
  received: number;
  names?: string[];
  indexed: number;
  unchanged: number;
  failed: number;
  items?: { item: number; id?: string; status: "failed" | "skipped"; detail: string }[];
  detail?: string;
}
