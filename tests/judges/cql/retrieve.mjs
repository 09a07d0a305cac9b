// Reads [{ valueSets: { url: [{ system, code }] }, cases: [{ asOf, bundle }] }] from standard input, retrieves the facts
// of each case from its Bundle with Facts.cql, and writes { errors, facts }: what the reference translator says against
// the libraries, and for each question and case an object from the name of a definition to what it found.
import { readFileSync } from "node:fs";
import cql from "cql-execution";
import fhir from "cql-exec-fhir";
import { translate } from "./translate.mjs";

const translated = (name) => translate(readFileSync(new URL(name, import.meta.url), "utf8"));

async function retrieve(library, source, { valueSets, cases }) {
  const codes = Object.entries(valueSets).map(([url, listed]) => [url, { "": listed }]);
  const service = new cql.CodeService(Object.fromEntries(codes));
  const found = [];
  for (const { asOf, bundle } of cases) {
    source.reset();
    source.loadBundles([bundle]);
    const results = await new cql.Executor(library, service, { AsOf: cql.Date.parse(asOf) }).exec(source);
    const [{ Patient, ...facts }] = Object.values(results.patientResults);
    found.push(facts);
  }
  return found;
}

const helpers = translated("./FHIRHelpers.cql");
const facts = translated("./Facts.cql");
const errors = [...helpers.errors, ...facts.errors];
const found = [];
if (errors.length === 0) {
  const library = new cql.Library(facts.elm, new cql.Repository({ FHIRHelpers: helpers.elm }));
  const source = fhir.PatientSource.FHIRv401();
  for (const question of JSON.parse(readFileSync(0, "utf8"))) found.push(await retrieve(library, source, question));
}
// On a line of its own: before it the translator may say which logger it uses.
process.stdout.write(`\n${JSON.stringify({ errors, facts: found })}\n`);
