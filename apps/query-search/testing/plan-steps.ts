/** What an engine's plan consists of: names of its steps, and of the indexes in use. */
export interface PlanSteps {
  steps: string[];
  /** Steps that read a whole collection. */
  scans: string[];
  sorts: string[];
  indexes: string[];
}

/** Reads an answer to `explain`. Node types are those of the PostgreSQL below FerretDB; `stage` is mongod's word for them. */
export function planSteps(explained: unknown): PlanSteps {
  const text = JSON.stringify(explained);
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);
  const steps = all(/"(?:Node Type|stage)":"([^"]+)"/g);
  return { steps, scans: steps.filter((step) => /^(seq scan|collscan)$/i.test(step)), sorts: steps.filter((step) => /sort/i.test(step)), indexes: all(/"(?:Index Name|indexName)":"([^"]+)"/g) };
}
