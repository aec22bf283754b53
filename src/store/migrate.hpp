#pragma once
// Brings a database to the schema that this Bernstein knows, and refuses one that it does not know.
//
// Each migration is applied once, in order, in a transaction of its own; table schema_migrations says which, with the
// SHA-256 of their text. A database with a migration that is unknown here was written by a newer version; one whose
// text differs was made by something else. Neither is touched.

#include <SQLiteCpp/Database.h>

#include <string>

#include "bernstein/base/result.hpp"

namespace bernstein::store {

// Whether the file is ours and not newer than we are; an empty one is fine. Writes nothing.
Status check_schema(SQLite::Database& database, const std::string& path);

// Applies what is missing. Requires check_schema.
void migrate(SQLite::Database& database);

}  // namespace bernstein::store
