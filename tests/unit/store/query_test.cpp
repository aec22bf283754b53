#include "store/query.hpp"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"

namespace bernstein::test {
namespace {

using port::Table;

class Query : public testing::Test {
 protected:
  Query() { EXPECT_TRUE(log_->append(sealer_.take({a_draft("a"), a_draft("b")}))); }

  Table::Cell cell(const std::string& expression) {
    const Result<Table> table = log_->query("SELECT " + expression);
    EXPECT_TRUE(table) << expression;
    return table ? table->rows.at(0).at(0) : Table::Cell{};
  }

  std::string refusal(const std::string& sql) {
    const Result<Table> table = log_->query(sql);
    if (table) return "answered";
    EXPECT_EQ(table.error().code, ErrorCode::invalid_input) << sql;
    return table.error().message;
  }

  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "state.db").string();
  std::unique_ptr<port::EventLog> log_ = store::open_log(path_).value();
  Sealer sealer_;
};

void expect_cell(const Table::Cell& cell, Table::Type type, const std::string& text) {
  EXPECT_EQ(cell.type, type) << text;
  EXPECT_EQ(cell.text, text);
}

TEST_F(Query, GivesColumnsAndRows) {
  const Result<Table> table = log_->query("SELECT seq, json_extract(payload, '$.why') AS why FROM events ORDER BY seq");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns, (std::vector<std::string>{"seq", "why"}));
  ASSERT_EQ(table->rows.size(), 2U);
  expect_cell(table->rows[1][0], Table::Type::integer, "2");
  expect_cell(table->rows[1][1], Table::Type::text, "b");
}

TEST_F(Query, WritesEachKindOfValueInOneWay) {
  expect_cell(cell("NULL"), Table::Type::null, "");
  expect_cell(cell("-9223372036854775807 - 1"), Table::Type::integer, "-9223372036854775808");
  expect_cell(cell("0.1"), Table::Type::real, "0.1");
  expect_cell(cell("980000 / 1e6"), Table::Type::real, "0.98");
  expect_cell(cell("9e999"), Table::Type::text, "inf");
  expect_cell(cell("'\u00e9'"), Table::Type::text, "\u00e9");
  expect_cell(cell("x'00ff'"), Table::Type::text, "00ff");
  expect_cell(cell("CAST(x'41ff' AS TEXT)"), Table::Type::text, "A\ufffd");
  expect_cell(cell("hash FROM events WHERE seq = 2"), Table::Type::text, to_hex(all_records(*log_)[1].hash));
}

TEST_F(Query, AnswersSelectWithValuesAndExplain) {
  for (const char* sql :
       {"SELECT 1", "  select 1 ;  -- done\n", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1), (2)",
        "EXPLAIN QUERY PLAN SELECT * FROM tasks", "EXPLAIN SELECT 1", "/* first */ SELECT count(*) FROM runs",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5) SELECT * FROM n",
        "SELECT * FROM events, json_each(payload)", "SELECT name FROM sqlite_schema"}) {
    EXPECT_TRUE(log_->query(sql)) << sql;
  }
}

TEST_F(Query, RefusesWhatWouldDoMoreThanRead) {
  const std::string elsewhere = (directory_.path() / "elsewhere.db").string();
  const std::vector<Record> before = all_records(*log_);
  for (const std::string& sql : std::vector<std::string>{"INSERT INTO events DEFAULT VALUES",
                                                         "UPDATE events SET seq = 1",
                                                         "DELETE FROM events",
                                                         "DROP TABLE events",
                                                         "DROP VIEW tasks",
                                                         "CREATE TABLE x (a)",
                                                         "CREATE TEMP TABLE x (a)",
                                                         "CREATE TEMP VIEW x AS SELECT 1",
                                                         "ATTACH '" + elsewhere + "' AS x",
                                                         "DETACH main",
                                                         "PRAGMA query_only = OFF",
                                                         "PRAGMA writable_schema = ON",
                                                         "PRAGMA journal_mode = DELETE",
                                                         "PRAGMA wal_checkpoint",
                                                         "VACUUM",
                                                         "VACUUM INTO '" + elsewhere + "'",
                                                         "REINDEX",
                                                         "ANALYZE",
                                                         "BEGIN",
                                                         "BEGIN IMMEDIATE",
                                                         "SAVEPOINT x",
                                                         "COMMIT",
                                                         "SELECT load_extension('x')",
                                                         "EXPLAIN DELETE FROM events",
                                                         "WITH a AS (SELECT 1) DELETE FROM events",
                                                         "CREATE VIRTUAL TABLE x USING fts5(a)",
                                                         "SELECT * FROM pragma_query_only(0)",
                                                         "EXPLAIN ATTACH '" + elsewhere + "' AS x"}) {
    EXPECT_EQ(refusal(sql),
              "cannot answer the query: it would do more than read the events and views; write one SELECT")
        << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(elsewhere));
  EXPECT_EQ(all_records(*log_), before);
  EXPECT_TRUE(log_->append(sealer_.take({a_draft("c")})));
}

TEST_F(Query, RefusesSeveralStatements) {
  for (const char* sql : {"SELECT 1; SELECT 2", "SELECT 1; DELETE FROM events", "SELECT 1; nonsense"}) {
    EXPECT_EQ(refusal(sql), "cannot answer the query: there is more than one statement; write one SELECT") << sql;
  }
  for (const char* sql : {"", "  ", ";", "-- nothing"}) {
    EXPECT_EQ(refusal(sql), "cannot answer the query: it is empty; write one SELECT") << sql;
  }
  EXPECT_EQ(refusal(std::string("SELECT 1\0; DELETE FROM events", 28)),
            "cannot answer the query: it contains a NUL character");
}

TEST_F(Query, PassesOnWhatIsWrongWithTheSql) {
  EXPECT_EQ(refusal("SELECT * FROM task"), "cannot answer the query: no such table: task");
  EXPECT_EQ(refusal("SELECT titel FROM tasks"), "cannot answer the query: no such column: titel");
  EXPECT_EQ(refusal("SELECT \"titel\" FROM tasks"), "cannot answer the query: no such column: titel");
  EXPECT_EQ(refusal("SELEC 1"), "cannot answer the query: near \"SELEC\": syntax error");
  EXPECT_EQ(refusal("SELECT json_extract('{', '$')"), "cannot answer the query: malformed JSON");
}

TEST_F(Query, EndsWhenItsTimeIsUp) {
  auto reader = store::open_reader(path_, 20'000).value();
  const std::string endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
  const Result<Table> table = reader->query(endless);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error(), (Error{ErrorCode::invalid_input,
                                  "cannot answer the query: it took longer than 20 ms; ask for less, or for one run"}));
  // The reader is as good as before.
  EXPECT_TRUE(reader->query("SELECT 1"));
  EXPECT_EQ(reader->head()->last_seq, 2);
}

TEST_F(Query, EndsBeforeTheAnswerFillsTheMemory) {
  SQLite::Database database(path_);
  const Result<Table> table = store::run_query(
      database, path_,
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT printf('%.*c', 100000, 'x') FROM n",
      k_minute, std::size_t{2} << 20);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error(),
            (Error{ErrorCode::invalid_input, "cannot answer the query: the answer is larger than 2 MB; ask for less"}));
}

}  // namespace
}  // namespace bernstein::test
