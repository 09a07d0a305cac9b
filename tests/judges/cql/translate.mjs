// CQL → ELM by the reference translator. Resolves to { elm, errors }; warnings count as errors here.
import { readFileSync } from "node:fs";
import {
  CqlTranslator,
  LibraryManager,
  ModelManager,
  createModelInfoProvider,
  stringAsSource,
} from "@cqframework/cql/cql-to-elm";

const MODELS = {
  System: new URL("./system-modelinfo.xml", import.meta.url),
  FHIR: new URL("./node_modules/cql-exec-fhir/lib/modelInfos/fhir-modelinfo-4.0.1.xml", import.meta.url),
};

export function translate(cql) {
  const models = new ModelManager();
  const provider = createModelInfoProvider((name) =>
    name in MODELS ? stringAsSource(readFileSync(MODELS[name], "utf8")) : null,
  );
  models.modelInfoLoader.registerModelInfoProvider(provider);
  const elm = JSON.parse(CqlTranslator.fromText(cql, new LibraryManager(models)).toJson());
  const errors = elm.library.annotation
    .filter((note) => note.type === "CqlToElmError")
    .map((note) => `${note.startLine}:${note.startChar}: ${note.errorSeverity}: ${note.message}`);
  return { elm, errors };
}
