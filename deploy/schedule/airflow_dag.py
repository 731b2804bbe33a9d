"""An Airflow DAG that launches the Flex Template every night and waits for the job; launch.json says with what.

Copy both files into the folder of DAGs. It needs the providers apache-airflow-providers-google and -apache-beam (the
operator imports both), and the Airflow variables `lathe_project` and `lathe_region`.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow import DAG
from airflow.providers.google.cloud.operators.dataflow import DataflowStartFlexTemplateOperator

with DAG(
    dag_id="lathe_nightly",
    description="Masters what changed in the catalogue",
    schedule="30 1 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a run masters everything that changed, whichever night it changed in
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},  # the next run takes up what stands
):
    DataflowStartFlexTemplateOperator(
        task_id="master_catalogue",
        project_id="{{ var.value.lathe_project }}",
        location="{{ var.value.lathe_region }}",
        body=json.loads(Path(__file__).with_name("launch.json").read_text()),
        append_job_name=False,  # one name: Dataflow itself refuses a second night while the first runs
        execution_timeout=timedelta(hours=20),
    )
