-- Every text of a prompt that was served, by its digest, and which of them each variant of an application has.
CREATE TABLE prompt_texts (
  digest TEXT PRIMARY KEY,
  text TEXT NOT NULL
);
-- `answers` is 1 for the prompt that the variant answers with. `first_ns` is when it was first served so.
CREATE TABLE prompt_variants (
  application TEXT NOT NULL,
  name TEXT NOT NULL,
  variant TEXT NOT NULL,
  digest TEXT NOT NULL,
  called TEXT NOT NULL,
  answers INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  PRIMARY KEY (application, name, variant)
)
