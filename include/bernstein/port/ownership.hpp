#pragma once
// Who may write the workspace. store/ implements it on the lock file; the loop asks before every commit, because a lock
// that was deleted or replaced keeps nobody out.
//
//     BERNSTEIN_TRY_VOID(ownership.still_ours());      // else: stop, and write nothing more
//     BERNSTEIN_TRY_VOID(log.append(records));

#include "bernstein/base/result.hpp"

namespace bernstein::port {

class Ownership {
 public:
  virtual ~Ownership() = default;

  // Ok as long as the workspace is ours; ErrorCode::busy with who took it over, as far as that is known. Takes
  // microseconds. It narrows the time in which two write, it cannot end it: what the loser appends after all is refused
  // by the chain (ErrorCode::conflict of port::EventLog::append).
  virtual Status still_ours() const = 0;
};

}  // namespace bernstein::port
