#pragma once
// Which scans a progressive JPEG file consists of.

#include "codecs/jpeg/image_tokens.h"
#include "codecs/jpeg/scan.h"
#include "codecs/jpeg/scan_counts.h"

namespace pixpress {

// A script that suits most images with so much in a block.
JpegScanScript FixedJpegScans(const JpegImageTokens& image);

// The script that takes the fewest bytes of those that are tried, each scan with the best table for
// it; of more of them if it `is_thorough`. `counts` are of the same image. Polls for a stop per row
// of each scan.
Result<JpegScanScript> SearchJpegScans(const JpegImageTokens& image, bool is_thorough,
                                       JpegScanCounts* counts);

}  // namespace pixpress
