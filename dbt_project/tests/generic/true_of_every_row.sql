{% test true_of_every_row(model, expression) %}
-- What the expression says holds in every row.
select * from {{ model }} where not coalesce({{ expression }}, false)
{% endtest %}
