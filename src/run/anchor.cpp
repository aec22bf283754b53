#include "bernstein/run/anchor.hpp"

namespace bernstein::run {

std::string anchor_text(RunId run, std::int64_t run_seq, const Digest& hash) {
  return R"({"hash":")" + to_hex(hash) + R"(","run":")" + to_string(run) + R"(","run_seq":)" + std::to_string(run_seq) +
         "}";
}

}  // namespace bernstein::run
