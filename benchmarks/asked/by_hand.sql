-- The same questions in SQL as somebody writes it who knows the tables and their indexes. Each gives the
-- same customers as the rule of its name in rules.yaml; that is checked before anything is measured.
-- :now is the instant asked about, :d3 three days before it.

-- name: offer-the-course
SELECT DISTINCT guide.customer_id
FROM order_lines AS guide
WHERE guide.sku = 'starter-guide' AND guide.at BETWEEN :d120 AND :d3
  AND (guide.refunded_at IS NULL OR guide.refunded_at > :now)
  AND NOT EXISTS (
    SELECT 1 FROM order_lines AS course
    WHERE course.customer_id = guide.customer_id AND course.sku = 'flagship' AND course.at <= :now
      AND (course.refunded_at IS NULL OR course.refunded_at > :now))
  AND (
    (SELECT count(DISTINCT used.unit) FROM consumption AS used
     WHERE used.customer_id = guide.customer_id AND used.sku = 'starter-guide' AND used.kind = 'completed'
       AND used.unit IN ('chapter-1', 'chapter-2', 'chapter-3', 'chapter-4', 'chapter-5', 'chapter-6', 'chapter-7')
       AND used.at <= :now) >= 4
    OR EXISTS (
      SELECT 1 FROM consumption AS used
      WHERE used.customer_id = guide.customer_id AND used.sku = 'starter-guide' AND used.unit = ''
        AND used.kind = 'completed' AND used.at <= :now))

-- name: stalled-learner
SELECT DISTINCT course.customer_id
FROM order_lines AS course
WHERE course.sku = 'flagship' AND course.at <= :d14
  AND (course.refunded_at IS NULL OR course.refunded_at > :now)
  AND EXISTS (
    SELECT 1 FROM consumption AS used
    WHERE used.customer_id = course.customer_id AND used.sku = 'flagship' AND used.unit = 'lesson-1'
      AND used.kind = 'completed' AND used.at BETWEEN :d365 AND :now)
  AND NOT EXISTS (
    SELECT 1 FROM consumption AS used
    WHERE used.customer_id = course.customer_id AND used.sku = 'flagship' AND used.kind <> 'started'
      AND used.at BETWEEN :d14 AND :now)
  AND NOT EXISTS (
    SELECT 1 FROM consumption AS used
    WHERE used.customer_id = course.customer_id AND used.sku = 'flagship' AND used.unit = ''
      AND used.kind = 'completed' AND used.at <= :now)
  AND (
    SELECT count(DISTINCT used.unit) FROM consumption AS used
    WHERE used.customer_id = course.customer_id AND used.sku = 'flagship' AND used.kind = 'completed'
      AND used.unit IN ('lesson-1', 'lesson-2', 'lesson-3', 'lesson-4', 'lesson-5', 'lesson-6', 'lesson-7',
        'lesson-8', 'lesson-9', 'lesson-10', 'lesson-11', 'lesson-12')
      AND used.at <= :now) < 12

-- name: lapsed
SELECT customer_id FROM orders
WHERE paid AND amount > 0 AND at BETWEEN :d365 AND :d120 AND (refunded_at IS NULL OR refunded_at > :now)
EXCEPT
SELECT customer_id FROM orders
WHERE paid AND amount > 0 AND at > :d120 AND at <= :now AND (refunded_at IS NULL OR refunded_at > :now)

-- name: big-spenders
SELECT customer_id FROM orders
WHERE paid AND at BETWEEN :d365 AND :now
GROUP BY customer_id
HAVING sum(amount) - coalesce((
  SELECT sum(refunds.amount) FROM refunds
  WHERE refunds.customer_id = orders.customer_id AND refunds.at BETWEEN :d365 AND :now), 0) >= 30000

-- name: frequent
SELECT customer_id FROM orders
WHERE paid AND amount > 0 AND at BETWEEN :d365 AND :now AND (refunded_at IS NULL OR refunded_at > :now)
GROUP BY customer_id
HAVING count(*) >= 3

-- name: collectors
SELECT customer_id FROM order_lines
WHERE sku IN ('basket', 'blade', 'jar', 'iron-pot', 'flour') AND at <= :now
  AND (refunded_at IS NULL OR refunded_at > :now)
GROUP BY customer_id
HAVING count(DISTINCT order_ref) >= 3

-- name: only-the-tripwire
SELECT customer_id FROM order_lines
WHERE sku = 'starter-guide' AND at <= :now AND (refunded_at IS NULL OR refunded_at > :now)
EXCEPT
SELECT customer_id FROM order_lines
WHERE sku IN ('flagship', 'dark-rye', 'membership') AND at <= :now
  AND (refunded_at IS NULL OR refunded_at > :now)

-- name: regulars-without-a-course
SELECT ordered.customer_id FROM orders AS ordered
WHERE ordered.paid AND ordered.amount > 0 AND ordered.at BETWEEN :d365 AND :now
  AND (ordered.refunded_at IS NULL OR ordered.refunded_at > :now)
GROUP BY ordered.customer_id
HAVING count(*) >= 3
  AND (
    SELECT sum(every.amount) FROM orders AS every
    WHERE every.customer_id = ordered.customer_id AND every.paid AND every.at <= :now
  ) - coalesce((
    SELECT sum(refunds.amount) FROM refunds
    WHERE refunds.customer_id = ordered.customer_id AND refunds.at <= :now), 0) >= 10000
  AND NOT (
    EXISTS (
      SELECT 1 FROM order_lines AS course
      WHERE course.customer_id = ordered.customer_id AND course.sku IN ('flagship', 'dark-rye')
        AND course.at <= :now AND (course.refunded_at IS NULL OR course.refunded_at > :now))
    AND EXISTS (
      SELECT 1 FROM consumption AS used
      WHERE used.customer_id = ordered.customer_id AND used.sku IN ('flagship', 'dark-rye')
        AND used.kind <> 'started' AND used.at BETWEEN :d30 AND :now))

-- name: weekly-and-recent
SELECT DISTINCT told.customer_id FROM attributes AS told
WHERE told.name = 'bakes' AND told.value = 'weekly' AND told.at <= :now
  AND NOT EXISTS (
    SELECT 1 FROM attributes AS later
    WHERE later.customer_id = told.customer_id AND later.name = 'bakes' AND later.at > told.at
      AND later.at <= :now)
  AND EXISTS (
    SELECT 1 FROM orders
    WHERE orders.customer_id = told.customer_id AND orders.paid AND orders.amount > 0
      AND orders.at BETWEEN :d90 AND :now AND (orders.refunded_at IS NULL OR orders.refunded_at > :now))
