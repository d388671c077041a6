import { texts } from 'types.bicep'

metadata description = 'Durable Task Scheduler: the managed store of orchestrations, in place of queues and tables.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the scheduler.')
param schedulerName string

@description('Name of the task hub.')
param taskHubName string

@description('Consumption is paid per action; Dedicated per capacity unit.')
@allowed(['Consumption', 'Dedicated'])
param skuName string

@description('Whether a private endpoint is the only way in.')
param private bool

@description('Addresses of the private network. An empty list would let nobody in, the private endpoint included.')
param networkAddressPrefix string

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: schedulerName
  location: location
  tags: tags
  properties: {
    ipAllowlist: private ? [networkAddressPrefix] : ['0.0.0.0/0']
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    sku: skuName == 'Dedicated' ? { name: skuName, capacity: 1 } : { name: skuName }
  }

  resource hub 'taskHubs' = {
    name: taskHubName
  }
}

#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: scheduler
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the scheduler.')
output schedulerId string = scheduler.id

@description('Name of the scheduler.')
output schedulerName string = scheduler.name

@description('Address of the scheduler.')
output endpoint string = scheduler.properties.endpoint
