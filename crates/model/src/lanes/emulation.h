// What update.cu needs of CUDA, on a processor: the threads of a block are threads, its blocks run one after the other.
#include <barrier>
#include <cmath>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

struct Index { unsigned x = 0, y = 0; };
static thread_local Index threadIdx;
static Index blockIdx, blockDim, gridDim;
static std::unique_ptr<std::barrier<>> together;
struct alignas(16) float4 { float x, y, z, w; };

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(threads)
static void __syncthreads() { together->arrive_and_wait(); }

static float kept_matrix[4 * HIDDEN * HIDDEN];
#define KEPT kept_matrix

#include "update.cu"

template <class... Types, size_t... Places>
static void call(void (*kernel)(Types...), void **arguments, std::index_sequence<Places...>) {
    kernel(*(Types *)arguments[Places]...);
}
template <class... Types> static void call_with(void (*kernel)(Types...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<Types...>());
}

extern "C" int launch(void *kernel, unsigned blocks, unsigned rows, unsigned, unsigned threads, unsigned, unsigned, unsigned,
                      void *, void **arguments, void **) {
    gridDim = {blocks, rows};
    blockDim = {threads, 1};
    together = std::make_unique<std::barrier<>>(threads);
    std::vector<std::thread> running;
    for (unsigned thread = 0; thread < threads; thread++)
        running.emplace_back([=] {
            threadIdx = {thread, 0};
            for (unsigned block = 0; block < blocks * rows; block++) {
                if (thread == 0)
                    blockIdx = {block % blocks, block / blocks};
                __syncthreads();
                ((void (*)(void **))kernel)(arguments);
                __syncthreads();
            }
        });
    for (auto &thread : running)
        thread.join();
    return 0;
}

#define RUN(kernel) extern "C" void run_##kernel(void **arguments) { call_with(kernel, arguments); }
RUN(gather)
RUN(drop)
RUN(forward)
RUN(output_layer)
RUN(backward)
RUN(drop_gradient)
RUN(step)
