#pragma once
// What a person wants of a task of a run: that its landing goes ahead, that it is tried again, that it is taken back.
//
//     const Wish wish{Wish::Kind::retry, run, task};
//     BERNSTEIN_TRY(Draft draft, draft_of(state, wish));       // or a sentence: what stands against it, and the remedy
//
// Where nobody carries the run on, whoever resumes it gives the draft to the loop. Where a Bernstein is at work on it,
// the wish is left as a file in .sdd/requests and the loop takes it up:
//
//     BERNSTEIN_TRY(std::string request, leave_request(sdd, "01750000000000000-4711-1", wish));
//     answer_to(sdd, request)        // waiting ... then done, or the loop's reason against it
//
// The loop answers once the input is durable: by removing the file, or by a file <name>.refused that holds the
// sentence. Who dies in between finds the request again, and what was done already is refused then: approving twice
// changes nothing, what is taken back is not taken back again, and what is being tried again has not failed.
//
// Whoever may write into .sdd has the rights of the person: a sandbox keeps agents out of it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

struct Wish {
  enum class Kind { approve, retry, undo };
  Kind kind = Kind::approve;
  RunId run;
  TaskId task;

  bool operator==(const Wish&) const = default;
};

std::string_view to_word(Wish::Kind kind);

// {"kind":"retry","run":"r1","task":"t4","version":1}, and nothing else is read: one wish has one spelling.
std::string to_text(const Wish& wish);
Result<Wish> parse_wish(std::string_view text);

// The input that the wish becomes. ErrorCode::not_found: no such task; ErrorCode::invalid_input: it makes no sense as
// things stand. The sentence names what is to be done instead.
Result<Draft> draft_of(const RunState& state, const Wish& wish);

// Landed tasks that depend on this one, by themselves or by others: what may build on what it has landed.
std::vector<TaskId> landed_dependents(const RunState& state, TaskId task);

// ---- Requests: files in .sdd/requests ----

inline constexpr std::size_t k_request_bytes_max = 64 << 10;
inline constexpr std::size_t k_requests_max = 100;  // read at once; the others after them

std::string requests_directory(const std::string& sdd);
// Makes it with mode 0700 where there is none.
Status make_requests_directory(const std::string& sdd);

// Leaves a wish for the Bernstein that is at work. `name` is not in use, and orders the requests: time first. Gives the
// file's name.
Result<std::string> leave_request(const std::string& sdd, const std::string& name, const Wish& wish);

struct Answer {
  enum class Kind { waiting, done, refused };
  Kind kind = Kind::waiting;
  std::string why;  // of a refusal; a sentence
};
// Takes the refusal away.
Answer answer_to(const std::string& sdd, const std::string& request);
// Whether the request was still there: then nobody will take it up any more.
bool withdraw(const std::string& sdd, const std::string& request);

// What lies there, in order of its names: links, pipes and what is too large come with an error; directories are no
// requests.
struct Request {
  std::string name;
  Result<Wish> wish;
};
std::vector<Request> read_requests(const std::string& sdd);
void answer_done(const std::string& sdd, const std::string& request);
void answer_refused(const std::string& sdd, const std::string& request, const std::string& why);

}  // namespace bernstein::run
