import { createRequire } from 'node:module';
import type * as prometheus from 'prom-client';

// Of prom-client these four and what they need: the metrics of Node that come with the rest, which are not used here, load
// all of OpenTelemetry's API, 60 ms of CPU. They are no public paths; the version is fixed, and every test of a metric uses them.
const require = createRequire(import.meta.url);
export const Counter: typeof prometheus.Counter = require('prom-client/lib/counter.js');
export type Counter = prometheus.Counter;
export const Gauge: typeof prometheus.Gauge = require('prom-client/lib/gauge.js');
export type Gauge = prometheus.Gauge;
export const Histogram: typeof prometheus.Histogram = require('prom-client/lib/histogram.js');
export type Histogram = prometheus.Histogram;
export const Registry: typeof prometheus.Registry = require('prom-client/lib/registry.js');
export type Registry = prometheus.Registry;
