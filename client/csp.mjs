// Read policies from standard input, one a line, and fail for a finding of high severity.

import { readFileSync } from "node:fs";
import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { Severity } from "csp_evaluator/dist/finding.js";

for (const policy of readFileSync(0, "utf8").trim().split("\n")) {
  const findings = new CspEvaluator(new CspParser(policy).csp).evaluate();
  for (const { severity, directive, value, description } of findings)
    console.log(Severity[severity], directive, value ?? "", description);
  if (findings.some(({ severity }) => severity <= Severity.HIGH_MAYBE)) {
    console.error(`A finding of high severity: ${policy}`);
    process.exitCode = 1;
  }
}
