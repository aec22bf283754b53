#pragma once
// One statement that a person or a program wrote, run where it can do no harm.

#include <SQLiteCpp/Database.h>

#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::store {

// All cells of an answer together: more is a mistake in the query, and would fill the memory.
inline constexpr std::size_t k_answer_bytes_max = std::size_t{256} << 20;

// `database` must be a read-only connection. While the query runs, an authorizer denies everything but reading, so that
// ATTACH, PRAGMA and the like are refused before anything happens.
Result<port::Table> run_query(SQLite::Database& database, const std::string& path, const std::string& sql,
                              Micros limit_us, std::size_t bytes_max = k_answer_bytes_max);

}  // namespace bernstein::store
