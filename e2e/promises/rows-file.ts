/** In the cluster's folder: the rows of e2e/report. Apart from the rig, which belongs to tests, since the setup reads it. */
export const ROWS_FILE = 'promises.jsonl';
