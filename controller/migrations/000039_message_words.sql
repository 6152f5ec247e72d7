-- breaking: no
-- Words inside markup, addresses and paths are words: what joins them is taken out before the text is read. Nothing is ranked,
-- so no word weighs more than another. What is searched for is read in the same way.

ALTER TABLE messages DROP COLUMN words;
ALTER TABLE messages ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (
  to_tsvector('simple', translate(coalesce(subject || ' ', '') || body, '<>/\@=&?#.:', '           '))) STORED;
CREATE INDEX messages_words ON messages USING gin (words);
