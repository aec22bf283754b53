#pragma once
// Where the log lines of the doors go: stderr, warnings and worse unless -v asks for more.

namespace bernstein::cli {

void set_up_logging(bool verbose);

}  // namespace bernstein::cli
