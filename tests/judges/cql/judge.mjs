// Reads libraries, [{ cql, elm, cases: [{ asOf, facts }] }], from standard input and writes for each of them
// { errors, translated, truths }: what the reference translator says against the text, the ELM that it makes of it, and
// what the given ELM finds. truths holds, for each case, an object from the name of a definition to true, false or null.
import { readFileSync } from "node:fs";
import cql from "cql-execution";
import { translate } from "./translate.mjs";

const NOBODY = { currentPatient: () => undefined, nextPatient: () => undefined };

function value(given, type) {
  if (type.type === "IntervalTypeSpecifier") {
    return new cql.Interval(value(given[0], type.pointType), value(given[1], type.pointType));
  }
  return type.name?.endsWith("}Date") ? cql.Date.parse(given) : given;
}

async function run(elm, cases) {
  const library = new cql.Library(elm);
  const types = Object.fromEntries(elm.library.parameters.def.map((each) => [each.name, each.parameterTypeSpecifier]));
  const found = [];
  for (const { asOf, facts } of cases) {
    const given = { AsOf: asOf, ...facts };
    const parameters = Object.fromEntries(Object.entries(given).map(([name, each]) => [name, value(each, types[name])]));
    const results = await new cql.Executor(library, new cql.CodeService({}), parameters).exec(NOBODY);
    const truths = Object.entries(results.unfilteredResults).filter(([, truth]) => truth === null || typeof truth === "boolean");
    found.push(Object.fromEntries(truths));
  }
  return found;
}

async function judge(asked) {
  const { elm, errors } = translate(asked.cql);
  return { errors, translated: elm, truths: await run(asked.elm, asked.cases) };
}

const verdicts = [];
for (const asked of JSON.parse(readFileSync(0, "utf8"))) verdicts.push(await judge(asked));
process.stdout.write(JSON.stringify(verdicts));
