// Histograms as a page draws them. Internal to the room.
#pragma once

#include <span>

#include "halftone/quant/histogram.h"
#include "halftone/report/report.h"

namespace halftone::report {

// The histogram between its smallest and its largest number in `count` equal bins. A bin of the histogram that lies in
// several of these is shared out evenly, so counts are those of the numbers up to rounding.
Bins bins_of(const Histogram& histogram, int count);

}  // namespace halftone::report
