// Facts about this process.
#pragma once

namespace halftone {

// The most memory this process has ever held resident, in MiB.
double peak_rss_mib();

}  // namespace halftone
