-- Which sums of several hours are kept whole: of 3 and of 12 hours, beside those of minutes and hours (see
-- store/rollups.py). Where there are sums of hours already, these are made of them before they are read.
CREATE TABLE rollup_grains (
  grain_s INTEGER NOT NULL,
  PRIMARY KEY (grain_s)
);
INSERT INTO rollup_grains SELECT 10800 WHERE NOT EXISTS (SELECT 1 FROM trace_rollups);
INSERT INTO rollup_grains SELECT 43200 WHERE NOT EXISTS (SELECT 1 FROM trace_rollups);
-- What was tried in evaluations is taken out of the sums that are of traffic: few among many traces.
CREATE INDEX traces_tried ON traces (application, started_ns) WHERE tenant = 'evaluation'
