#include "pipeline/step_quantize.h"

#include <utility>

#include "base/checked_math.h"
#include "image/image.h"
#include "kernels/palette.h"

namespace pixpress {

Result<std::unique_ptr<RowSource>> MakeQuantizeStep(std::unique_ptr<RowSource> source,
                                                    const Settings& settings,
                                                    const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Image pixels, CollectRows(*source, context));
  const ImageLayout& in = pixels.layout();
  PixelView view;
  view.data = pixels.row(0, 0);
  view.stride_bytes = pixels.stride_bytes(0);
  view.width = in.width;
  view.height = in.height;
  view.channels = in.planes[0].channels;
  PaletteOptions options;
  options.max_colors = settings.colors == 0 ? 256 : settings.colors;
  options.dither = settings.dither;
  options.effort = settings.effort;
  options.min_quality = settings.min_quality;
  options.lossless = settings.lossless;

  ImageLayout out = ImageLayout::Interleaved(in.width, in.height, ColorModel::kIndexed, false);
  PIXPRESS_ASSIGN_OR_RETURN(out.palette, ChoosePalette(view, options, context));
  PIXPRESS_ASSIGN_OR_RETURN(Image indices, Image::Create(out, context.meter));
  PIXPRESS_RETURN_IF_ERROR(MapToPalette(view, out.palette, options, context, indices.row(0, 0),
                                        indices.stride_bytes(0)));
  return MakeImageSource(std::move(indices), context.stop);
}

uint64_t QuantizeMemoryBytes(const ImageLayout& in) {
  const ImageLayout out =
      ImageLayout::Interleaved(in.width, in.height, ColorModel::kIndexed, false);
  return SaturatingAdd(SaturatingAdd(Image::MemoryBytes(in), Image::MemoryBytes(out)),
                       PaletteMemoryBytes(in.width, in.height));
}

}  // namespace pixpress
