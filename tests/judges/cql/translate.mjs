// CQL → ELM by the reference translator. Resolves to { elm, errors }; warnings count as errors here.
import { readFileSync } from "node:fs";
import {
  CqlTranslator,
  LibraryManager,
  ModelManager,
  createLibrarySourceProvider,
  createModelInfoProvider,
  stringAsSource,
} from "@cqframework/cql/cql-to-elm";

const MODELS = {
  System: new URL("./system-modelinfo.xml", import.meta.url),
  FHIR: new URL("./node_modules/cql-exec-fhir/lib/modelInfos/fhir-modelinfo-4.0.1.xml", import.meta.url),
};
const LIBRARIES = { FHIRHelpers: new URL("./FHIRHelpers.cql", import.meta.url) };

const source = (files) => (name) => (name in files ? stringAsSource(readFileSync(files[name], "utf8")) : null);

export function translate(cql) {
  const models = new ModelManager();
  models.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider(source(MODELS)));
  const libraries = new LibraryManager(models);
  libraries.librarySourceLoader.registerProvider(createLibrarySourceProvider(source(LIBRARIES)));
  const elm = JSON.parse(CqlTranslator.fromText(cql, libraries).toJson());
  const errors = elm.library.annotation
    .filter((note) => note.type === "CqlToElmError")
    .map((note) => `${note.startLine}:${note.startChar}: ${note.errorSeverity}: ${note.message}`);
  return { elm, errors };
}
