#pragma once
// The files of migrations/: "0001_events" and its SQL.

#include "bernstein/base/embedded.hpp"

namespace bernstein::store {

std::span<const EmbeddedText> migrations();

}  // namespace bernstein::store
