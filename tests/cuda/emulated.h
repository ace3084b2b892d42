// CUDA on a processor without a card: every thread of a launch is a thread here, blocks and clusters
// meet at barriers, and shared memory is an array a block. Slow and faithful in order, not in speed.
#pragma once
#define ACCRUE_EMULATED
#include <algorithm>
#include <atomic>
#include <barrier>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <vector>
#define __device__
#define __host__
#define __global__
#define __launch_bounds__(...)
using std::max;
using std::min;

struct float2 {
    float x, y;
};
struct float4 {
    float x, y, z, w;
};
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
inline thread_local dim3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

struct Block {
    std::vector<float> memory;
    std::unique_ptr<std::barrier<>> meeting;
};
inline std::vector<Block> blocks;
inline std::vector<std::unique_ptr<std::barrier<>>> clusters;
inline unsigned cluster_size = 1;
inline thread_local unsigned block_number;

inline void SYNC_BLOCK() { blocks[block_number].meeting->arrive_and_wait(); }
#define SHARED_MEMORY(name) float *name = blocks[block_number].memory.data()
inline float *of_block(float *address, int rank) {
    unsigned first = block_number / cluster_size * cluster_size;
    return blocks[first + rank].memory.data() + (address - blocks[block_number].memory.data());
}
inline void arrive_cluster() {}
inline void wait_cluster() { clusters[block_number / cluster_size]->arrive_and_wait(); }
inline float4 fresh(const float *address) { return *(const float4 *)address; }
inline void arrive_global(unsigned *arrivals) {
    SYNC_BLOCK();
    if (threadIdx.x == 0) std::atomic_ref<unsigned>(*arrivals).fetch_add(1);
}
inline void wait_global(unsigned *arrivals, unsigned expected) {
    if (threadIdx.x == 0) {
        while (std::atomic_ref<unsigned>(*arrivals).load() < expected) std::this_thread::yield();
    }
    SYNC_BLOCK();
}

inline float exp2_of(float x) { return std::exp2(x); }
inline float one_over(float x) { return 1.0f / x; }

// Runs `kernel` over a grid; blocks of one cluster, or all of them, side by side.
inline void launch(dim3 grid, unsigned threads, unsigned cluster, size_t shared, bool together,
                   const std::function<void()> &kernel) {
    unsigned count = grid.x * grid.y * grid.z;
    gridDim = grid;
    blockDim = {threads, 1, 1};
    cluster_size = cluster;
    blocks.clear();
    clusters.clear();
    for (unsigned b = 0; b < count; b++) {
        // Poisoned: what a kernel does not set, it must not read.
        blocks.push_back({std::vector<float>(shared, NAN), std::make_unique<std::barrier<>>(threads)});
    }
    for (unsigned c = 0; c < count / cluster; c++) {
        clusters.push_back(std::make_unique<std::barrier<>>(threads * cluster));
    }
    unsigned at_once = together ? count : cluster;
    for (unsigned first = 0; first < count; first += at_once) {
        std::vector<std::thread> all;
        for (unsigned b = first; b < first + at_once; b++) {
            for (unsigned t = 0; t < threads; t++) {
                all.emplace_back([&, b, t] {
                    block_number = b;
                    blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
                    threadIdx = {t, 0, 0};
                    kernel();
                });
            }
        }
        for (auto &thread : all) thread.join();
    }
}
