// logs: what an attempt's agent printed.

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_chunk_bytes = 1 << 16;

// How much of `bytes` can be shown now: not the first bytes of a character whose others are still to come.
std::size_t whole_characters(const std::string& bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (byte < 0x80) break;
    if (byte >= 0xC0) {
      const std::size_t needs = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      return back < needs ? bytes.size() - back : bytes.size();
    }
  }
  return bytes.size();
}

// Agents draw progress with carriage returns, and colours: on a terminal the text is what matters.
std::string safe(const std::string& bytes) {
  return printable_utf8(replace_all(bytes, "\r\n", "\n"));
}

// Piece by piece, so that a log of any size can be shown. Terminals get nothing that could steer them.
void copy(std::istream& in, std::ostream& out, bool to_terminal) {
  std::string held;
  std::array<char, k_chunk_bytes> chunk;
  while (in.read(chunk.data(), chunk.size()), in.gcount() > 0 && out.good()) {
    held.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
    if (!to_terminal) {
      out << held;
      held.clear();
      continue;
    }
    std::size_t show = whole_characters(held);
    if (show > 0 && held[show - 1] == '\r') --show;  // its newline may be the next byte
    out << safe(held.substr(0, show));
    held.erase(0, show);
  }
  out << (to_terminal ? safe(held) : held);
}

// The end of the output as the log keeps it, for when the file is gone. Nothing when the agent has not ended.
Result<std::string> kept_output(const Home& home, const TaskStory& story, std::uint32_t attempt) {
  for (const Event& event : story.events) {
    const auto* exit = std::get_if<AgentExited>(&event.body);
    if (exit == nullptr || event.subject.attempt != attempt) continue;
    if (exit->output.empty()) return std::string();
    if (const auto blobs = open_blobs(home)) return blobs->get(exit->output);
  }
  return Error{ErrorCode::not_found, "no output yet"};
}

}  // namespace

Result<Exit> logs_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const TaskStory story, read_story(*home.reader, options));
  const std::uint32_t number = story.shown_attempt();
  const std::string task = to_string(story.run) + "/" + to_string(story.spec.id);
  if (number == 0) {
    return Error{ErrorCode::not_found,
                 "no agent has worked on " + task + " yet; `bernstein why " + task + "` says why"};
  }
  const std::string attempt = to_string(AttemptId{story.spec.id, number});
  const std::string path = home.sdd + "/logs/" + to_string(story.run) + "/" + attempt + ".log";

  std::ifstream file(path, std::ios::binary);
  std::string kept;
  if (!file) {
    const Result<std::string> found = kept_output(home, story, number);
    if (!found) {
      return Error{ErrorCode::not_found,
                   "there is no output of " + to_string(story.run) + "/" + attempt + " yet; it would be in " + path};
    }
    kept = *found;
  }
  if (context.json) {
    nlohmann::ordered_json json;
    json["run"] = to_string(story.run);
    json["attempt"] = attempt;
    json["file"] = path;
    json["output"] = file ? std::string(std::istreambuf_iterator<char>(file), {}) : kept;
    context.out << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return Exit::done;
  }
  if (file) {
    context.err << path << '\n';
    copy(file, context.out, context.out_is_terminal);
  } else {
    context.err << path << " is gone; this is the end of it that the log keeps\n";
    context.out << (context.out_is_terminal ? safe(kept) : kept);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
